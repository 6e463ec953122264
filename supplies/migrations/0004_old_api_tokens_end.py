"""Keys without a check at their end are not accepted any more, so they are revoked; and each gets the day it runs out."""

from datetime import timedelta

from django.db import migrations
from django.db.models import F
from django.db.models.functions import Coalesce, Greatest, Least, Now

LIFE, LONGEST, SHORTEST = timedelta(days=90), timedelta(days=366), timedelta(seconds=1)


def end(apps, schema_editor):
    tokens = apps.get_model("supplies", "ApiToken").objects
    tokens.filter(expires_at=None).update(expires_at=F("created_at") + LIFE)
    tokens.update(
        expires_at=Greatest(Least(F("expires_at"), F("created_at") + LONGEST), F("created_at") + SHORTEST),
        revoked_at=Coalesce(F("revoked_at"), Now()),
    )


class Migration(migrations.Migration):
    dependencies = [("supplies", "0003_api_token_last_used")]
    operations = [migrations.RunPython(end, migrations.RunPython.noop)]
