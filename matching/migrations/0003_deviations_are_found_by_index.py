from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ("matching", "0002_approvals_may_depart_from_the_plan"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name='proposal',
            index=models.Index(condition=models.Q(('deviation', ''), _negated=True), fields=['-approved_at', '-id'], name='proposal_deviating'),
        ),
    ]
