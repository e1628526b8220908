from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tickets', '0027_workspace'),
    ]

    operations = [
        migrations.AddField(
            model_name='action',
            name='definition',
            field=models.CharField(blank=True, db_default='', default='', help_text='Digest of what the tool was when this was offered, where another system defines it.', max_length=64),
        ),
    ]
