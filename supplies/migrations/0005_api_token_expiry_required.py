import datetime

from django.db import migrations, models
from django.db.models import F, Q, Value


class Migration(migrations.Migration):
    dependencies = [("supplies", "0004_old_api_tokens_end")]
    operations = [
        migrations.AlterField("apitoken", "expires_at", models.DateTimeField(verbose_name="expires")),
        migrations.AddConstraint(
            "apitoken",
            models.CheckConstraint(
                condition=Q(expires_at__gt=F("created_at"))
                & Q(expires_at__lte=F("created_at") + Value(datetime.timedelta(days=366))),
                name="api_token_expires_within_a_year",
            ),
        ),
    ]
