"""What happened is only ever added to: triggers refuse to change, delete or empty it. Facts of the journal are ids and numbers."""

import django.core.validators
import django.db.models.deletion
from django.db import migrations, models

from supplies.append_only import OnlyAdded

# Columns named in the trigger may change: free text, which erasure has to reach. The owner of the tables may go past it
# inside a transaction that says so (SET LOCAL tongzhou.rewriting = 'on'); nobody else can.
REFUSE = """
CREATE FUNCTION refuse_rewriting() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND TG_NARGS > 0 THEN
        IF to_jsonb(NEW) - TG_ARGV = to_jsonb(OLD) - TG_ARGV THEN
            RETURN NEW;
        END IF;
    END IF;
    IF current_setting('tongzhou.rewriting', true) = 'on'
       AND pg_has_role(current_user, (SELECT relowner FROM pg_class WHERE oid = TG_RELID), 'USAGE') THEN
        IF TG_OP = 'DELETE' THEN
            RETURN OLD;
        END IF;
        RETURN NEW;
    END IF;
    RAISE EXCEPTION 'rows of % are only ever added', TG_TABLE_NAME
        USING ERRCODE = 'integrity_constraint_violation', TABLE = TG_TABLE_NAME, CONSTRAINT = TG_NAME;
END $$
"""
IDS_AND_NUMBERS = '!exists($.** ? (@.type() == "string" && !(@ like_regex "^[A-Za-z0-9_.:+/-]{0,80}$")))'


def protected(model, field, to, **options):
    """Django looks before it deletes what such rows belong to, instead of trying to delete them."""
    key = models.ForeignKey(to=to, on_delete=django.db.models.deletion.PROTECT, **options)
    return migrations.AlterField(model_name=model, name=field, field=key)


class Migration(migrations.Migration):
    dependencies = [("supplies", "0017_outgoing_mail")]
    operations = [
        migrations.RunSQL(REFUSE, "DROP FUNCTION refuse_rewriting()"),
        protected("trackingevent", "shipment", "supplies.shipment", related_name="events"),
        protected("receiptline", "receipt", "supplies.receipt", related_name="lines"),
        protected("discrepancy", "receipt_line", "supplies.receiptline", related_name="discrepancies", verbose_name="receipt line"),
        protected("verification", "organisation", "supplies.organisation", related_name="verifications", verbose_name="organisation"),
        migrations.AddConstraint("event", OnlyAdded(name="events_are_only_added")),
        migrations.AddConstraint("trackingevent", OnlyAdded(name="tracking_events_are_only_added", may_change=["place", "label", "note"])),
        migrations.AddConstraint("receipt", OnlyAdded(name="receipts_are_only_added", may_change=["note"])),
        migrations.AddConstraint("receiptline", OnlyAdded(name="receipt_lines_are_only_added")),
        migrations.AddConstraint("discrepancy", OnlyAdded(name="discrepancies_are_only_added")),
        migrations.AddConstraint("verification", OnlyAdded(name="verifications_are_only_added", may_change=["motive", "public_note"])),
        migrations.AddConstraint("referenceedition", OnlyAdded(name="editions_are_only_added")),
        # An item's code stands in the journal.
        migrations.AlterField(
            model_name="item",
            name="code",
            field=models.CharField(
                max_length=30,
                primary_key=True,
                serialize=False,
                validators=[
                    django.core.validators.RegexValidator(
                        "^[A-Za-z0-9_.-]+$", "Use Latin letters, digits, dots, dashes and underscores."
                    )
                ],
                verbose_name="code",
            ),
        ),
        migrations.AddConstraint(
            "event",
            models.CheckConstraint(
                name="event_facts_are_ids_and_numbers",
                condition=models.Func(
                    models.F("facts"),
                    models.Value(IDS_AND_NUMBERS),
                    function="jsonb_path_match",
                    output_field=models.BooleanField(),
                    template="%(function)s(%(expressions)s::jsonpath)",
                ),
            ),
        ),
    ]
