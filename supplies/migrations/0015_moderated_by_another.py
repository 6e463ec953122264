"""No appeal and no donation was moderated by who posted it: the old rows looked through, without keeping anybody waiting."""

from django.contrib.postgres.operations import ValidateConstraint
from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("supplies", "0014_four_eyes")]
    operations = [
        ValidateConstraint("appeal", "appeal_moderated_by_another"),
        ValidateConstraint("donation", "donation_moderated_by_another"),
    ]
