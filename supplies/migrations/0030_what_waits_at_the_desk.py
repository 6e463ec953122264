"""The desk's lists come in their order from an index, and so do the piles its first page counts."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
from django.db.models import Case, F, Q, When


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("supplies", "0029_needs_and_offers_by_region")]
    operations = [
        migrations.RunSQL("SET lock_timeout = 0", "SET lock_timeout = 0"),  # see 0025
        AddIndexConcurrently(
            "need",
            models.Index(
                fields=["confirmed_at"],
                condition=Q(status="open") & ~Q(quantity_kind="number"),
                name="need_to_confirm",
            ),
        ),
        AddIndexConcurrently("offer", models.Index(fields=["expires_on", "id"], name="offer_by_expiry")),
        AddIndexConcurrently(
            "offer", models.Index(fields=["lot_number"], condition=~Q(lot_number=""), name="offer_by_lot")
        ),
        AddIndexConcurrently(
            "organisation", models.Index(fields=["created_at", "id"], name="organisation_oldest")
        ),
        AddIndexConcurrently("receipt", models.Index(fields=["-at", "id"], name="receipt_newest")),
        AddIndexConcurrently(
            "shipment",
            models.Index(
                Case(
                    When(Q(status__in=["returning", "lost", "refused", "partly_accepted"], settled_at=None), then=0),
                    default=1,
                ),
                F("created_at").desc(),
                F("id").desc(),
                name="shipment_troubled_first",
            ),
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
