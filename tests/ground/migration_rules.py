"""What a migration may do while processes of the last release still run, and without holding up their writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from django.contrib.postgres.operations import AddIndexConcurrently, CreateExtension, RemoveIndexConcurrently
from django.db.migrations import Migration
from django.db.migrations import operations as op
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState
from django.db.models import Field

MARK = "while_running"
BREAKS = (op.RemoveField, op.DeleteModel, op.RenameField, op.RenameModel, op.AlterModelTable)
LOCKS = (op.AddConstraint, op.AlterUniqueTogether, op.AlterIndexTogether, op.AlterOrderWithRespectTo)
UNKNOWN = (op.RunPython, op.RunSQL, op.SeparateDatabaseAndState)
CHEAP = (
    op.CreateModel, op.AlterModelOptions, op.AlterModelManagers, op.RemoveConstraint, op.RemoveIndex, op.RenameIndex,
    op.AlterModelTableComment, AddIndexConcurrently, RemoveIndexConcurrently, CreateExtension,
)  # fmt: skip


def troubles(migrations: Iterable[Migration], state: ProjectState) -> Iterator[str]:
    """A sentence for each operation that needs a mark and has none; `state` is that of the last release."""
    fresh: set[tuple[str, str]] = set()  # tables that no running process knows
    for migration in migrations:
        for operation in migration.operations:
            if isinstance(operation, op.CreateModel):
                fresh.add((migration.app_label, operation.name_lower))
            model = getattr(operation, "model_name_lower", None) or getattr(operation, "name_lower", "")
            why = _trouble(operation, migration.app_label, state)
            if why and (migration.app_label, model) not in fresh and not getattr(migration, MARK, ""):
                yield f"{migration.app_label}.{migration.name}: {operation.describe()}: {why}"
            operation.state_forwards(migration.app_label, state)


def _trouble(operation: Operation, app: str, state: ProjectState) -> str:
    if isinstance(operation, BREAKS):
        return "running processes still read it; stop using it in one release and remove it in the next"
    if isinstance(operation, op.AddField):
        return _added(operation.field)
    if isinstance(operation, op.AlterField):
        before = state.models[app, operation.model_name_lower].get_field(operation.name)
        return _altered(before, operation.field)
    if isinstance(operation, LOCKS):
        return "looks at every row under a lock; add it NOT VALID, validate it later"
    if isinstance(operation, op.AddIndex) and not isinstance(operation, AddIndexConcurrently):
        return "holds up writes while it is built; AddIndexConcurrently in a migration with atomic = False"
    if isinstance(operation, UNKNOWN) or not isinstance(operation, (*CHEAP, op.AddIndex)):
        return "may do anything; say in the mark why it is safe, in batches if it touches many rows"
    return ""


def _added(field: Field) -> str:  # type: ignore[type-arg]
    if field.many_to_many or field.null or field.has_db_default():
        return ""
    return "running processes insert rows without it; null=True, or db_default"


def _altered(before: Field, after: Field) -> str:  # type: ignore[type-arg]
    """Nothing for what the database does not see, a longer text and a NULL that is allowed now."""
    old, new = (_in_database(field) for field in (before, after))
    if old.get("max_length") and new.get("max_length") and old["max_length"] <= new["max_length"]:
        old["max_length"] = new["max_length"]
    if new.get("null"):
        old["null"] = True
    if type(before) is type(after) and old == new:
        return ""
    return "rewrites or checks the table under a lock, or narrows what running processes write"


def _in_database(field: Field) -> dict[str, Any]:  # type: ignore[type-arg]
    unseen = {*field.non_db_attrs, "default", "db_default"}
    return {name: value for name, value in field.deconstruct()[3].items() if name not in unseen}
