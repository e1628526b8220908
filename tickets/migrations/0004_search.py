"""Help-centre search: extensions, the text search configuration `help`, the vocabulary and the index's version."""

import uuid

import django.contrib.postgres.indexes
from django.contrib.postgres.operations import TrigramExtension, UnaccentExtension
from django.db import migrations, models

CONFIGURATION = """
CREATE TEXT SEARCH CONFIGURATION help (COPY = english);
ALTER TEXT SEARCH CONFIGURATION help ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
"""

# The threshold belongs to the function: sessions are shared, and the default of 0.3 misses two letters swapped.
NEAR_TERMS = """
CREATE FUNCTION tickets_near_terms(words text[])
RETURNS TABLE (word text, lexeme text, articles integer) LANGUAGE sql STABLE
SET pg_trgm.similarity_threshold = 0.2 AS $$
    SELECT w.word, near.lexeme, near.articles
    FROM unnest(words) AS w (word)
    CROSS JOIN LATERAL (
        SELECT t.lexeme, t.articles FROM tickets_searchterm t
        WHERE t.lexeme % w.word AND length(t.lexeme) BETWEEN length(w.word) - 2 AND length(w.word) + 2
        ORDER BY similarity(t.lexeme, w.word) DESC, t.articles DESC LIMIT 12
    ) AS near
$$;
"""


class Migration(migrations.Migration):
    dependencies = [("tickets", "0003_conversation_customer_read_seq")]

    operations = [
        TrigramExtension(),
        UnaccentExtension(),
        migrations.RunSQL(CONFIGURATION, "DROP TEXT SEARCH CONFIGURATION help"),
        migrations.AddField("articlesection", "digest", models.CharField(blank=True, max_length=64)),
        migrations.CreateModel(
            name="SearchTerm",
            fields=[
                ("lexeme", models.TextField(primary_key=True, serialize=False)),
                ("articles", models.PositiveIntegerField()),
            ],
            options={
                "indexes": [
                    django.contrib.postgres.indexes.GinIndex(
                        fields=["lexeme"], name="search_term_trigrams", opclasses=["gin_trgm_ops"]
                    )
                ]
            },
        ),
        migrations.CreateModel(
            name="SearchIndex",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("version", models.UUIDField(default=uuid.uuid4)),
            ],
            options={
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="search_index_one_row")]
            },
        ),
        migrations.RunSQL(NEAR_TERMS, "DROP FUNCTION tickets_near_terms(text[])"),
    ]
