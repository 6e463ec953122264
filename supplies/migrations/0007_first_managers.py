"""Whoever was the first to act for an organisation becomes its manager."""

from django.db import migrations
from django.db.models import Min


def appoint(apps, schema_editor):
    memberships = apps.get_model("supplies", "Membership").objects
    first = memberships.values("organisation").annotate(first=Min("pk")).values("first")
    memberships.filter(pk__in=list(first.values_list("first", flat=True))).update(is_manager=True)


class Migration(migrations.Migration):
    dependencies = [("supplies", "0006_membership_manages")]
    operations = [migrations.RunPython(appoint, migrations.RunPython.noop)]
