"""What the journal held before there were seals is sealed too."""

from django.db import migrations

ALL = "INSERT INTO supplies_unsealed (event_id) SELECT id FROM supplies_event ON CONFLICT DO NOTHING"


class Migration(migrations.Migration):
    dependencies = [("supplies", "0019_seals")]
    operations = [migrations.RunSQL(ALL, migrations.RunSQL.noop)]
