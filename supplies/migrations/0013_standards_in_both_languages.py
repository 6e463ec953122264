"""What the catalogue remarks on standards, in Chinese too."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supplies", "0012_not_accepting_goods"),
    ]
    operations = [
        migrations.AddField(
            model_name="standard",
            name="other_requirements_zh",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=300,
                verbose_name="other requirements in Chinese",
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="note_zh",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="note in Chinese"
            ),
        ),
    ]
