"""What the database does by itself when rows are written, how well it knows some columns, and the volunteers' group."""

from django.apps import apps as site_apps
from django.contrib.auth.management import create_permissions
from django.db import migrations

# No event is forgotten. As the owner, so that who adds one needs no right to this table and cannot take it out again.
WAIT = """
CREATE FUNCTION event_waits_for_its_seal() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    INSERT INTO supplies_unsealed (event_id) SELECT id FROM added;
    RETURN NULL;
END $$;
CREATE TRIGGER event_waits_for_its_seal AFTER INSERT ON supplies_event
    REFERENCING NEW TABLE AS added FOR EACH STATEMENT EXECUTE FUNCTION event_waits_for_its_seal();
"""
NOT_WAITING = """
DROP TRIGGER event_waits_for_its_seal ON supplies_event;
DROP FUNCTION event_waits_for_its_seal();
"""
# Needs and offers carry the path of their region, needs their facility too, copied from where it is said.
SAY_WHERE = """
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
NOT_SAYING = """
DROP TRIGGER region_moves_what_lies_in_it ON supplies_region;
DROP TRIGGER donation_moves_offers ON supplies_donation;
DROP TRIGGER facility_moves_needs ON supplies_facility;
DROP TRIGGER appeal_moves_needs ON supplies_appeal;
DROP TRIGGER offer_says_where ON supplies_offer;
DROP TRIGGER need_says_where ON supplies_need;
DROP FUNCTION region_moves_what_lies_in_it(), donation_moves_offers(), facility_moves_needs(), appeal_moves_needs(),
    offer_says_where(), need_says_where();
"""
# What is written to a row while it is merged goes to the row it was merged into. Who is merged holds the row against FOR
# SHARE, so that whoever posts for it at that moment waits, and then follows.
FOLLOW = """
CREATE FUNCTION follows_the_merge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text := to_jsonb(NEW) ->> TG_ARGV[0];
    kept uuid;
BEGIN
    WHILE named IS NOT NULL LOOP
        EXECUTE format('SELECT merged_into_id FROM %I WHERE id = $1 %s', TG_ARGV[1], TG_ARGV[2])
        INTO kept USING named::uuid;
        EXIT WHEN kept IS NULL;
        NEW := jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], kept));
        named := kept::text;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE TRIGGER appeal_follows_the_merge BEFORE INSERT ON supplies_appeal
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('facility_id', 'supplies_facility', 'FOR SHARE');
CREATE TRIGGER facility_follows_the_merge BEFORE INSERT ON supplies_facility
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('organisation_id', 'supplies_organisation', 'FOR SHARE');
-- The needs it carries are locked by then, and a merge waits for those.
CREATE TRIGGER shipment_follows_the_merge BEFORE INSERT ON supplies_shipment
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('consignee_id', 'supplies_facility', '');
"""
NOT_FOLLOWING = """
DROP TRIGGER shipment_follows_the_merge ON supplies_shipment;
DROP TRIGGER facility_follows_the_merge ON supplies_facility;
DROP TRIGGER appeal_follows_the_merge ON supplies_appeal;
DROP FUNCTION follows_the_merge();
"""
# The planner tells common words and regions from rare ones by how often each occurs; the usual hundred are too few for
# pairs of characters, and for some three thousand regions.
STATISTICS = [
    "ALTER INDEX organisation_by_mention ALTER COLUMN 1 SET STATISTICS 1000",
    "ALTER INDEX facility_by_mention ALTER COLUMN 1 SET STATISTICS 1000",
    "ALTER TABLE supplies_need ALTER COLUMN region_path SET STATISTICS 1000",
    "ALTER TABLE supplies_offer ALTER COLUMN region_path SET STATISTICS 1000",
]
# Who belongs to the volunteers' group reads the reference data at the desk of the admin.
# The desk decides by roles; Django's table is asked only for the stock lists of reference data.
READS = ["category", "unit", "item", "unitrule", "standard", "substitution", "transportmode", "region", "referenceedition", "trackingcode"]


def make(apps, schema_editor):
    create_permissions(site_apps.get_app_config("supplies"), verbosity=0, apps=apps, using=schema_editor.connection.alias)
    Group, Permission = apps.get_model("auth", "Group"), apps.get_model("auth", "Permission")
    group, _made = Group.objects.get_or_create(name="volunteers")
    names = [f"view_{model}" for model in READS]
    group.permissions.set(Permission.objects.filter(content_type__app_label="supplies", codename__in=names))


def unmake(apps, schema_editor):
    apps.get_model("auth", "Group").objects.filter(name="volunteers").delete()


class Migration(migrations.Migration):
    # One that stands for all: what is done here was done by several of those that 0002 replaces.
    replaces = [
        ("supplies", "0002_volunteers"),
    ]
    dependencies = [
        ("supplies", "0002_first_release"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
    ]
    operations = [
        migrations.RunSQL(WAIT, NOT_WAITING),
        migrations.RunSQL(SAY_WHERE, NOT_SAYING),
        migrations.RunSQL(FOLLOW, NOT_FOLLOWING),
        migrations.RunSQL(STATISTICS, migrations.RunSQL.noop),
        migrations.RunPython(make, unmake),
    ]
