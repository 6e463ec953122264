"""Names are found by pairs of characters instead of trigrams, which are too long for a Chinese word."""

from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations

from supplies.search import mention_index


class Migration(migrations.Migration):
    atomic = False  # an index is built beside its table, not inside a transaction that would lock it
    dependencies = [("supplies", "0024_search_by_pairs_of_characters")]
    operations = [
        # Building waits for whoever was reading when it began, for longer than a request may wait for a lock.
        migrations.RunSQL("SET lock_timeout = 0", "SET lock_timeout = 0"),
        AddIndexConcurrently("organisation", mention_index("name", "organisation_by_mention")),
        AddIndexConcurrently("facility", mention_index("name", "facility_by_mention")),
        # The planner tells common words from rare ones by how often each pair occurs; the usual hundred are too few.
        migrations.RunSQL(
            [
                "ALTER INDEX organisation_by_mention ALTER COLUMN 1 SET STATISTICS 1000",
                "ALTER INDEX facility_by_mention ALTER COLUMN 1 SET STATISTICS 1000",
            ],
            migrations.RunSQL.noop,
        ),
        RemoveIndexConcurrently("organisation", "organisation_name_search"),
        RemoveIndexConcurrently("facility", "facility_name_search"),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
