"""Fill in the regions of the needs and offers that were there before, some thousands at a time."""

from django.db import migrations

AT_ONCE = 5_000


def fill(apps, schema_editor):
    for table in ("supplies_need", "supplies_offer"):
        last = "00000000-0000-0000-0000-000000000000"
        while last:
            last = _fill(schema_editor.connection, table, last)


def _fill(connection, table, after):
    """Touch the next rows, so that their trigger looks where they are; the key of the last of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"""
            WITH next AS (SELECT id FROM {table} WHERE id > %s ORDER BY id LIMIT %s),
                 touched AS (UPDATE {table} SET region_path = '' WHERE id IN (SELECT id FROM next) AND region_path = '')
            SELECT max(id::text) FROM next
            """,  # nosec B608 # names of our own tables and columns
            [after, AT_ONCE],
        )
        return cursor.fetchone()[0]


class Migration(migrations.Migration):
    atomic = False  # each step is a transaction of its own: no row stays locked while the others are filled in
    dependencies = [("supplies", "0027_needs_and_offers_know_their_region")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop)]
