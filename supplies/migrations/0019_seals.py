"""The chain of seals over the journal, and the trigger that lets no event be forgotten."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

from supplies.append_only import OnlyAdded

# As the owner, so that who adds an event needs no right to this table and cannot take the event out of it again.
WAIT = """
CREATE FUNCTION event_waits_for_its_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO supplies_unsealed (event_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER event_waits_for_its_seal AFTER INSERT ON supplies_event
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION event_waits_for_its_seal();
"""
FORGET = """
DROP TRIGGER event_waits_for_its_seal ON supplies_event;
DROP FUNCTION event_waits_for_its_seal();
"""


class Migration(migrations.Migration):
    dependencies = [("supplies", "0018_rows_only_added")]
    operations = [
        migrations.CreateModel(
            name="Seal",
            fields=[
                ("number", models.PositiveBigIntegerField(primary_key=True, serialize=False, verbose_name="number")),
                ("at", models.DateTimeField(verbose_name="sealed")),
                (
                    "events",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.BigIntegerField(), size=None, verbose_name="journal entries"
                    ),
                ),
                ("digest", models.BinaryField(max_length=32, verbose_name="digest")),
            ],
            options={"verbose_name": "seal", "verbose_name_plural": "seals"},
        ),
        migrations.CreateModel(
            name="Unsealed",
            fields=[
                (
                    "event",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to="supplies.event",
                    ),
                ),
            ],
            options={"verbose_name": "entry that waits for its seal", "verbose_name_plural": "entries that wait for their seal"},
        ),
        migrations.AddConstraint("seal", OnlyAdded(name="seals_are_only_added")),
        migrations.AddConstraint("seal", models.CheckConstraint(condition=models.Q(number__gte=1), name="seals_are_counted_from_one")),
        migrations.AddConstraint("seal", models.CheckConstraint(condition=models.Q(events__len__gte=1), name="seal_covers_something")),
        migrations.RunSQL(WAIT, FORGET),
    ]
