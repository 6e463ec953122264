"""What the catalogue says of goods beside their names, in Chinese too; and regions found by their English names."""

from django.db import migrations, models
from django.db.models.functions import Upper


class Migration(migrations.Migration):
    dependencies = [
        ("supplies", "0003_triggers_and_volunteers"),
    ]
    operations = [
        migrations.AddField(
            model_name="item",
            name="assumed_because_zh",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="how it was found, in Chinese"
            ),
        ),
        migrations.AddField(
            model_name="item",
            name="note_zh",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=300, verbose_name="note in Chinese"
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="title_zh",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Where the title has English words in it.",
                max_length=160,
                verbose_name="title in Chinese",
            ),
        ),
        migrations.AddField(
            model_name="standard",
            name="fluid_resistance_zh",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                max_length=120,
                verbose_name="fluid resistance in Chinese",
            ),
        ),
        migrations.AddField(
            model_name="substitution",
            name="evidence_zh",
            field=models.CharField(
                blank=True, db_default="", default="", max_length=160, verbose_name="evidence in Chinese"
            ),
        ),
        migrations.AddIndex(
            model_name="region", index=models.Index(Upper("name_en"), name="region_by_name_en")
        ),
    ]
