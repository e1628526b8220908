"""Articles in German, French, Spanish and Arabic, each found by its language's own stems."""

import django.db.models.deletion
import django.utils.timezone
import tickets.ids
from django.db import migrations, models


# PostgreSQL's own: their stop words and stemmers know each language's accents. French and Spanish words are indexed a
# second time without theirs (tickets.services.articles), for those who type none.
CONFIGURATIONS = """
CREATE TEXT SEARCH CONFIGURATION help_de (COPY = german);
CREATE TEXT SEARCH CONFIGURATION help_fr (COPY = french);
CREATE TEXT SEARCH CONFIGURATION help_es (COPY = spanish);
CREATE TEXT SEARCH CONFIGURATION help_ar (COPY = arabic);
"""
GONE = """
DROP TEXT SEARCH CONFIGURATION help_de;
DROP TEXT SEARCH CONFIGURATION help_fr;
DROP TEXT SEARCH CONFIGURATION help_es;
DROP TEXT SEARCH CONFIGURATION help_ar;
"""


class Migration(migrations.Migration):

    dependencies = [
        ('tickets', '0018_cards_thumbs_surveys'),
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
