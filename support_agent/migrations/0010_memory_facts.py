from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("support_agent", "0009_by_time")]

    operations = [
        migrations.RenameField(model_name="conversationmemory", old_name="identifiers", new_name="facts"),
        migrations.AddField(
            model_name="surfacelimit",
            name="steps",
            field=models.PositiveSmallIntegerField(blank=True, help_text="Of one turn.", null=True),
        ),
    ]
