"""Legs are found by the number their carrier knows them by."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False  # nobody waits while the index is built

    dependencies = [
        ("supplies", "0008_what_searches_hold"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="leg",
            index=models.Index(
                condition=models.Q(("waybill", ""), _negated=True),
                fields=["carrier", "waybill"],
                name="leg_by_waybill",
            ),
        ),
    ]
