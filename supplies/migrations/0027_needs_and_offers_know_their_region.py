"""Needs and offers carry the path of their region, needs their facility too; triggers copy it from where it is said.

The columns come empty and are filled by the next migration, so that no table is locked for longer than a moment.
"""

from django.db import migrations, models

TRIGGERS = """
CREATE FUNCTION need_says_where() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT facility.id, region.path INTO NEW.site_id, NEW.region_path
    FROM supplies_appeal appeal
    JOIN supplies_facility facility ON facility.id = appeal.facility_id
    JOIN supplies_region region ON region.code = facility.region_id
    WHERE appeal.id = NEW.appeal_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER need_says_where BEFORE INSERT OR UPDATE OF appeal_id, site_id, region_path ON supplies_need
FOR EACH ROW EXECUTE FUNCTION need_says_where();

CREATE FUNCTION offer_says_where() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    SELECT region.path INTO NEW.region_path
    FROM supplies_donation donation
    JOIN supplies_region region ON region.code = donation.region_id
    WHERE donation.id = NEW.donation_id;
    RETURN NEW;
END
$$;
CREATE TRIGGER offer_says_where BEFORE INSERT OR UPDATE OF donation_id, region_path ON supplies_offer
FOR EACH ROW EXECUTE FUNCTION offer_says_where();

-- What is said elsewhere may be corrected: then the rows are touched, and look again.
CREATE FUNCTION appeal_moves_needs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE supplies_need SET region_path = region_path WHERE appeal_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER appeal_moves_needs AFTER UPDATE OF facility_id ON supplies_appeal
FOR EACH ROW WHEN (OLD.facility_id <> NEW.facility_id) EXECUTE FUNCTION appeal_moves_needs();

CREATE FUNCTION facility_moves_needs() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE supplies_need SET region_path = region_path WHERE site_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER facility_moves_needs AFTER UPDATE OF region_id ON supplies_facility
FOR EACH ROW WHEN (OLD.region_id <> NEW.region_id) EXECUTE FUNCTION facility_moves_needs();

CREATE FUNCTION donation_moves_offers() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE supplies_offer SET region_path = region_path WHERE donation_id = NEW.id;
    RETURN NULL;
END
$$;
CREATE TRIGGER donation_moves_offers AFTER UPDATE OF region_id ON supplies_donation
FOR EACH ROW WHEN (OLD.region_id <> NEW.region_id) EXECUTE FUNCTION donation_moves_offers();

CREATE FUNCTION region_moves_what_lies_in_it() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE supplies_need SET region_path = region_path
    WHERE site_id IN (SELECT id FROM supplies_facility WHERE region_id = NEW.code);
    UPDATE supplies_offer SET region_path = region_path
    WHERE donation_id IN (SELECT id FROM supplies_donation WHERE region_id = NEW.code);
    RETURN NULL;
END
$$;
CREATE TRIGGER region_moves_what_lies_in_it AFTER UPDATE OF path ON supplies_region
FOR EACH ROW WHEN (OLD.path <> NEW.path) EXECUTE FUNCTION region_moves_what_lies_in_it();
"""

WITHOUT = """
DROP TRIGGER region_moves_what_lies_in_it ON supplies_region;
DROP TRIGGER donation_moves_offers ON supplies_donation;
DROP TRIGGER facility_moves_needs ON supplies_facility;
DROP TRIGGER appeal_moves_needs ON supplies_appeal;
DROP TRIGGER offer_says_where ON supplies_offer;
DROP TRIGGER need_says_where ON supplies_need;
DROP FUNCTION region_moves_what_lies_in_it(), donation_moves_offers(), facility_moves_needs(), appeal_moves_needs(),
    offer_says_where(), need_says_where();
"""


class Migration(migrations.Migration):
    dependencies = [("supplies", "0026_counts_of_open_needs")]
    operations = [
        migrations.AddField(
            "need",
            "site",
            models.ForeignKey(
                "supplies.facility",
                models.PROTECT,
                verbose_name="facility",
                related_name="needs",
                editable=False,
                null=True,
                db_constraint=False,
                db_index=False,
            ),
        ),
        migrations.AddField(
            "need",
            "region_path",
            models.CharField(verbose_name="path of the region", max_length=80, blank=True, editable=False, default=""),
            preserve_default=False,
        ),
        migrations.AddField(
            "offer",
            "region_path",
            models.CharField(verbose_name="path of the region", max_length=80, blank=True, editable=False, default=""),
            preserve_default=False,
        ),
        migrations.RunSQL(TRIGGERS, WITHOUT),
    ]
