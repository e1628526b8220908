"""Saved cases say `resolved` where they said `answered`: the outcome has another name."""

from __future__ import annotations

import re

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def rename(apps: Apps, before: str, after: str) -> None:
    """Only as the value of `outcome`: a customer's words may hold the same."""
    value = re.compile(rf"^(\s*(?:expect: *\{{ *)?outcome: *){before}\b", re.MULTILINE)
    rows = apps.get_model("support_agent", "SavedCase").objects
    for row in rows.filter(yaml__contains=before):
        row.yaml = value.sub(rf"\g<1>{after}", row.yaml)
        row.save(update_fields=["yaml"])


def forwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    rename(apps, "answered", "resolved")


def backwards(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    rename(apps, "resolved", "answered")


class Migration(migrations.Migration):
    dependencies = [("support_agent", "0022_blast")]
    operations = [migrations.RunPython(forwards, backwards)]
