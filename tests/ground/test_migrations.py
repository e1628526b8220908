"""Upgrades without a pause: old processes run beside new ones on the new tables. docs/production.md says the rules."""

from __future__ import annotations

import pytest
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import connection, models
from django.db.migrations import Migration
from django.db.migrations import operations as op
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tests.ground.migration_rules import troubles

# The last migrations of the last release. Nothing was released yet: 0.1.0 begins with these, and they may do anything.
RELEASED = {"tickets": "0030_webhook_events", "support_agent": "0026_gaps"}


def shop() -> ProjectState:
    """A table as it stands in the last release."""
    state = ProjectState()
    fields: list[tuple[str, models.Field]] = [  # type: ignore[type-arg]
        ("id", models.BigAutoField(primary_key=True)),
        ("name", models.CharField(max_length=20)),
    ]
    op.CreateModel("Parcel", fields).state_forwards("shop", state)
    return state


def told(*operations: Operation, mark: str = "") -> list[str]:
    migration = Migration("0002_change", "shop")
    setattr(migration, "operations", list(operations))  # noqa: B010 - of this one, not of the class
    if mark:
        migration.while_running = mark  # type: ignore[attr-defined]
    return list(troubles([migration], shop()))


def test_ours_keep_running_processes_running() -> None:
    loader = MigrationLoader(None, ignore_no_migrations=True)
    graph = loader.graph
    released = [node for key in RELEASED.items() for node in graph.forwards_plan(key)]
    leaves = [leaf for leaf in graph.leaf_nodes() if leaf[0] in RELEASED]
    plan = dict.fromkeys(node for leaf in leaves for node in graph.forwards_plan(leaf) if node not in set(released))
    state = loader.project_state(list(RELEASED.items()))
    assert list(troubles([loader.get_migration(*node) for node in plan if node[0] in RELEASED], state)) == []


@pytest.mark.parametrize(
    "operation",
    [
        op.RemoveField("Parcel", "name"),
        op.RenameField("Parcel", "name", "title"),
        op.DeleteModel("Parcel"),
        op.AddField("Parcel", "weight", models.IntegerField(default=0)),
        op.AlterField("Parcel", "name", models.CharField(max_length=10)),
        op.AlterField("Parcel", "name", models.IntegerField()),
        op.AddIndex("Parcel", models.Index(fields=["name"], name="parcel_name")),
        op.AddConstraint("Parcel", models.UniqueConstraint(fields=["name"], name="parcel_once")),
        op.RunPython(op.RunPython.noop),
        op.RunSQL("UPDATE shop_parcel SET name = ''"),
    ],
    ids=lambda one: one.describe(),
)
def test_what_breaks_or_holds_up_running_processes_needs_a_reason(operation: Operation) -> None:
    [sentence] = told(operation)
    assert sentence.startswith("shop.0002_change: ")
    assert told(operation, mark="small table, and no process reads it since 0.3") == []


@pytest.mark.parametrize(
    "operation",
    [
        op.CreateModel("Label", [("id", models.BigAutoField(primary_key=True))]),
        op.AddField("Parcel", "weight", models.IntegerField(null=True)),
        op.AddField("Parcel", "weight", models.IntegerField(default=0, db_default=0)),
        op.AlterField("Parcel", "name", models.CharField(max_length=40, help_text="What it says outside.")),
        AddIndexConcurrently("Parcel", models.Index(fields=["name"], name="parcel_name")),
    ],
    ids=lambda one: one.describe(),
)
def test_what_running_processes_do_not_notice_passes(operation: Operation) -> None:
    assert told(operation) == []


def test_a_table_of_this_release_may_be_changed_at_will() -> None:
    made = op.CreateModel("Label", [("id", models.BigAutoField(primary_key=True))])
    assert told(made, op.AddField("Label", "text", models.TextField()), op.DeleteModel("Label")) == []


@pytest.mark.django_db
def test_a_process_of_the_last_release_goes_on_inserting() -> None:
    """The reason of the rule for new columns: Django's own default is gone once the column stands."""
    with connection.schema_editor() as editor:
        state = shop()
        added: list[models.Field] = [models.IntegerField(null=True), models.IntegerField(db_default=0)]  # type: ignore[type-arg]
        before = state.apps.get_model("shop", "Parcel")
        editor.create_model(before)
        for number, field in enumerate(added):
            operation = op.AddField("Parcel", f"added{number}", field)
            after = state.clone()
            operation.state_forwards("shop", after)
            operation.database_forwards("shop", editor, state, after)
            state = after
    before.objects.create(name="from an old process")
