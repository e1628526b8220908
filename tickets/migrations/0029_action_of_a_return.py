import django.db.models.fields.json
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A table that grows for ever: built while it is written to."""

    atomic = False

    dependencies = [
        ('tickets', '0028_action_definition'),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='action',
            index=models.Index(django.db.models.fields.json.KeyTransform('return_number', 'receipt'), condition=models.Q(('tool', 'request_return')), name='action_of_a_return'),
        ),
    ]
