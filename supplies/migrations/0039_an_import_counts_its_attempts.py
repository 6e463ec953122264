from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supplies", "0038_other_instances_are_read"),
    ]

    operations = [
        migrations.AddField(
            model_name="import",
            name="attempts",
            field=models.PositiveSmallIntegerField(default=0, editable=False),
        ),
    ]
