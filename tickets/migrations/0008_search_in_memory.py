"""Typos are mended in memory; the full-text index is written at once, so that a search never reads its pending list."""

from __future__ import annotations

import django.contrib.postgres.indexes
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("tickets", "0007_verification_by_address")]

    operations = [
        migrations.RunSQL("DROP FUNCTION tickets_near_terms(text[])", elidable=True),
        migrations.RemoveIndex("searchterm", "search_term_trigrams"),
        migrations.RemoveIndex("articlesection", "article_section_lexemes"),
        migrations.AddIndex(
            "articlesection",
            django.contrib.postgres.indexes.GinIndex(
                fastupdate=False, fields=["lexemes"], name="article_section_lexemes"
            ),
        ),
    ]
