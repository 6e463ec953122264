import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models
from django.db.models import F, Q

ROLES = [
    ("hospital", "hospital"),
    ("donor", "donor"),
    ("carrier", "carrier"),
    ("volunteer", "volunteer"),
    ("coordinator", "coordinator"),
    ("auditor", "auditor"),
]


def person(name, **options):
    return models.ForeignKey(
        settings.AUTH_USER_MODEL, django.db.models.deletion.PROTECT, related_name="+", verbose_name=name, **options
    )


class Migration(migrations.Migration):
    dependencies = [("supplies", "0007_first_managers")]
    operations = [
        migrations.CreateModel(
            name="Invitation",
            fields=[
                ("id", models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ("role", models.CharField(choices=ROLES, max_length=12, verbose_name="role")),
                ("digest", models.CharField(editable=False, max_length=64, unique=True)),
                ("created_at", models.DateTimeField(verbose_name="created")),
                ("expires_at", models.DateTimeField(verbose_name="expires")),
                ("accepted_at", models.DateTimeField(blank=True, null=True, verbose_name="accepted")),
                ("revoked_at", models.DateTimeField(blank=True, null=True, verbose_name="taken back")),
                ("accepted_by", person("accepted by", blank=True, null=True)),
                ("by", person("invited by")),
                (
                    "organisation",
                    models.ForeignKey(
                        "supplies.organisation",
                        django.db.models.deletion.CASCADE,
                        related_name="invitations",
                        verbose_name="organisation",
                    ),
                ),
            ],
            options={
                "verbose_name": "invitation",
                "verbose_name_plural": "invitations",
                "constraints": [
                    models.CheckConstraint(
                        condition=Q(expires_at__gt=F("created_at")), name="invitation_runs_out_later"
                    ),
                    models.CheckConstraint(
                        condition=Q(accepted_at=None, accepted_by=None)
                        | Q(accepted_at__isnull=False, accepted_by__isnull=False),
                        name="invitation_accepted_by_somebody",
                    ),
                    models.CheckConstraint(
                        condition=Q(accepted_at=None) | Q(revoked_at=None), name="invitation_used_or_taken_back"
                    ),
                ],
            },
        ),
    ]
