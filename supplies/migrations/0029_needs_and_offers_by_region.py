"""Every need has a facility; needs are found by it, and needs and offers by their region."""

from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models

# A check that is not valid yet is added at once and looked through without a lock; it then proves NOT NULL.
EVERY_NEED = [
    "ALTER TABLE supplies_need ADD CONSTRAINT need_has_a_site CHECK (site_id IS NOT NULL) NOT VALID",
    "ALTER TABLE supplies_need VALIDATE CONSTRAINT need_has_a_site",
    "ALTER TABLE supplies_need ALTER COLUMN site_id SET NOT NULL",
    "ALTER TABLE supplies_need DROP CONSTRAINT need_has_a_site",
]
# There are some three thousand regions: the planner should know how much lies in each.
STATISTICS = [
    "ALTER TABLE supplies_need ALTER COLUMN region_path SET STATISTICS 1000",
    "ALTER TABLE supplies_offer ALTER COLUMN region_path SET STATISTICS 1000",
]
SITE = models.ForeignKey(
    "supplies.facility",
    models.PROTECT,
    verbose_name="facility",
    related_name="needs",
    editable=False,
    db_constraint=False,
    db_index=False,
)


class Migration(migrations.Migration):
    atomic = False
    dependencies = [("supplies", "0028_fill_in_the_regions")]
    operations = [
        migrations.RunSQL(
            EVERY_NEED,
            "ALTER TABLE supplies_need ALTER COLUMN site_id DROP NOT NULL",
            state_operations=[migrations.AlterField("need", "site", SITE)],
        ),
        migrations.RunSQL(STATISTICS, migrations.RunSQL.noop),
        migrations.RunSQL("SET lock_timeout = 0", "SET lock_timeout = 0"),  # see 0025
        AddIndexConcurrently("need", models.Index(fields=["site"], name="need_by_site")),
        AddIndexConcurrently(
            "need", models.Index(fields=["region_path"], opclasses=["text_pattern_ops"], name="need_by_region")
        ),
        AddIndexConcurrently(
            "offer", models.Index(fields=["region_path"], opclasses=["text_pattern_ops"], name="offer_by_region")
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
    ]
