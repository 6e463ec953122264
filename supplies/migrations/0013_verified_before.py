"""What was verified before two volunteers were asked for.

One that a volunteer had verified keeps her yes and waits for a second one; one that nobody had looked at was taken over
from its source, and says so now. Who registered whom is in the journal. Who had refused a post of her own is, too.
"""

import uuid
from datetime import timedelta

from django.db import migrations
from django.db.models import Exists, F, OuterRef
from django.utils import timezone

TRUSTED = timedelta(days=90)


def carry_over(apps, schema_editor):
    Organisation, Verification = apps.get_model("supplies", "Organisation"), apps.get_model("supplies", "Verification")
    Event = apps.get_model("supplies", "Event")
    for event in Event.objects.filter(kind="organisation.registered", by__isnull=False).iterator():
        Organisation.objects.filter(pk=uuid.UUID(event.subject_id)).update(registered_by=event.by_id)

    Verification.objects.update(motive=F("public_note"), role="volunteer")
    judged = Verification.objects.filter(organisation=OuterRef("pk"), verdict="verified")
    for organisation in Organisation.objects.filter(Exists(judged), status="verified").iterator():
        last = organisation.verifications.filter(verdict="verified").order_by("-at", "-pk").first()
        if last.by_id != organisation.registered_by_id:
            Verification.objects.filter(pk=last.pk).update(round=1)
        Organisation.objects.filter(pk=organisation.pk).update(status="unverified")
    today = timezone.localdate()
    Organisation.objects.filter(status="verified").update(by_source=True, verified_on=today, recheck_on=today + TRUSTED)

    for model in ("Appeal", "Donation"):
        own = apps.get_model("supplies", model).objects.filter(moderated_by=F("posted_by"))
        own.update(moderated_by=None)


def take_back(apps, schema_editor):
    Organisation, Verification = apps.get_model("supplies", "Organisation"), apps.get_model("supplies", "Verification")
    said_yes = Verification.objects.filter(organisation=OuterRef("pk"), verdict="verified", round=OuterRef("check_round"))
    Organisation.objects.filter(Exists(said_yes), status="unverified").update(status="verified")


class Migration(migrations.Migration):
    dependencies = [("supplies", "0012_rounds_of_verification")]
    operations = [migrations.RunPython(carry_over, take_back)]
