"""Articles in German, French, Spanish and Arabic, each found by its language's own stems."""

import django.db.models.deletion
import django.utils.timezone
import tickets.ids
from django.db import migrations, models


# Stop words go first, while they still have their accents; the stems then know none. Arabic's stemmer strips its own
# vowel marks, and PostgreSQL has no stop words for it.
CONFIGURATIONS = """
CREATE TEXT SEARCH DICTIONARY help_de_stop (TEMPLATE = simple, STOPWORDS = german, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY help_fr_stop (TEMPLATE = simple, STOPWORDS = french, ACCEPT = false);
CREATE TEXT SEARCH DICTIONARY help_es_stop (TEMPLATE = simple, STOPWORDS = spanish, ACCEPT = false);
CREATE TEXT SEARCH CONFIGURATION help_de (COPY = german);
CREATE TEXT SEARCH CONFIGURATION help_fr (COPY = french);
CREATE TEXT SEARCH CONFIGURATION help_es (COPY = spanish);
CREATE TEXT SEARCH CONFIGURATION help_ar (COPY = arabic);
ALTER TEXT SEARCH CONFIGURATION help_de
    ALTER MAPPING FOR hword, hword_part, word WITH help_de_stop, unaccent, german_stem;
ALTER TEXT SEARCH CONFIGURATION help_fr
    ALTER MAPPING FOR hword, hword_part, word WITH help_fr_stop, unaccent, french_stem;
ALTER TEXT SEARCH CONFIGURATION help_es
    ALTER MAPPING FOR hword, hword_part, word WITH help_es_stop, unaccent, spanish_stem;
"""
GONE = """
DROP TEXT SEARCH CONFIGURATION help_de;
DROP TEXT SEARCH CONFIGURATION help_fr;
DROP TEXT SEARCH CONFIGURATION help_es;
DROP TEXT SEARCH CONFIGURATION help_ar;
DROP TEXT SEARCH DICTIONARY help_de_stop;
DROP TEXT SEARCH DICTIONARY help_fr_stop;
DROP TEXT SEARCH DICTIONARY help_es_stop;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tickets', '0016_note_form'),
    ]

    operations = [
        migrations.RunSQL(CONFIGURATIONS, GONE),
        migrations.CreateModel(
            name='ArticleTranslation',
            fields=[
                ('id', models.UUIDField(default=tickets.ids.new_id, editable=False, primary_key=True, serialize=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('language', models.CharField(choices=[('de', 'German'), ('fr', 'French'), ('es', 'Spanish'), ('ar', 'Arabic')], max_length=5)),
                ('title', models.CharField(max_length=160)),
                ('summary', models.CharField(blank=True, max_length=300)),
                ('body', models.TextField(help_text='Markdown.')),
                ('keywords', models.CharField(blank=True, help_text='Words that must find it in this language; codes come from the article.', max_length=400)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published')], db_index=True, default='draft', max_length=10)),
                ('updated_at', models.DateTimeField(default=django.utils.timezone.now)),
            ],
            options={
                'ordering': ['article', 'language'],
            },
        ),
        migrations.CreateModel(
            name='TranslatedTerm',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('language', models.CharField(max_length=5)),
                ('lexeme', models.TextField()),
                ('articles', models.PositiveIntegerField()),
            ],
        ),
        migrations.AlterModelOptions(
            name='articlesection',
            options={'ordering': ['article', 'language', 'position']},
        ),
        migrations.RemoveConstraint(
            model_name='articlesection',
            name='article_section_position',
        ),
        migrations.AddField(
            model_name='articlesection',
            name='language',
            field=models.CharField(db_default='en', default='en', max_length=5),
        ),
        migrations.AddConstraint(
            model_name='articlesection',
            constraint=models.UniqueConstraint(fields=('article', 'language', 'position'), name='article_section_place'),
        ),
        migrations.AddField(
            model_name='articletranslation',
            name='article',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='translations', to='tickets.article'),
        ),
        migrations.AddConstraint(
            model_name='translatedterm',
            constraint=models.UniqueConstraint(fields=('language', 'lexeme'), name='translated_term_once'),
        ),
        migrations.AddConstraint(
            model_name='articletranslation',
            constraint=models.UniqueConstraint(fields=('article', 'language'), name='article_translated_once'),
        ),
    ]
