"""No column can be forgotten: each with text in it is either erased or says why it stays."""

from __future__ import annotations

from collections.abc import Iterator

from django.apps import apps
from django.db.models import BinaryField, CharField, FileField, JSONField, Model, TextField

from support_agent.privacy.tables import BY_HAND, KEPT, TABLES

TEXTS = (CharField, TextField, JSONField, FileField, BinaryField)
ERASED = {(table.model, name) for table in TABLES for name in table.columns} | {
    (model, name) for model, names in BY_HAND.items() for name in names
}


def columns() -> Iterator[tuple[type[Model], str]]:
    for model in apps.get_models(include_auto_created=True):
        for field in model._meta.local_concrete_fields:
            if isinstance(field, TEXTS) or "search" in field.get_internal_type().lower():
                yield model, field.name


def test_every_column_with_text_is_erased_or_says_why_it_stays() -> None:
    unknown = [f"{model._meta.label}.{name}" for model, name in columns() if (model, name) not in ERASED]
    unknown = [label for label in unknown if not _is_kept(label)]
    assert not unknown, f"say in support_agent/privacy/tables.py what erasure does with {', '.join(unknown)}"


def test_what_may_hold_anything_is_never_kept_with_a_whole_model() -> None:
    """A star covers choices and numbers of ours; a new column of JSON or free text must be named."""
    loose = (TextField, JSONField, FileField, BinaryField)
    personal = {model for model, _ in ERASED}
    unnamed = [
        f"{model._meta.label}.{name}"
        for model, name in columns()
        if model in personal and (model, name) not in ERASED and f"{model._meta.label}.{name}" not in KEPT
        if isinstance(model._meta.get_field(name), loose) or _is_free(model, name)
    ]
    assert not unnamed, f"name them in support_agent/privacy/tables.py: {', '.join(unnamed)}"


def test_the_tables_name_only_what_there_is() -> None:
    there = {f"{model._meta.label}.{name}" for model, name in columns()}
    labels = {model._meta.label for model in apps.get_models(include_auto_created=True)}
    stale = [key for key in KEPT if key not in there and key.removesuffix(".*") not in labels | {"django_rq"}]
    assert not stale


def _is_kept(label: str) -> bool:
    model, _, _ = label.rpartition(".")
    return any(key in KEPT for key in (label, f"{model}.*", f"{label.partition('.')[0]}.*"))


def _is_free(model: type[Model], name: str) -> bool:
    """Room for a sentence and no list of choices: somebody could write in it."""
    field = model._meta.get_field(name)
    return (getattr(field, "max_length", 0) or 0) > 80 and not getattr(field, "choices", None)
