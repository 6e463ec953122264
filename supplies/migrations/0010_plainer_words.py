"""What people read of these columns says it in plainer words; nothing in the database changes."""

import django.core.validators
import supplies.quantity
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supplies", "0009_leg_by_waybill"),
    ]

    operations = [
        migrations.AlterField(
            model_name="changerequest",
            name="kind",
            field=models.CharField(
                choices=[
                    ("closed", "closed: takes nothing"),
                    ("wrong_quantity", "wrong quantity"),
                    ("wrong_telephone", "wrong telephone number"),
                    ("not_needed", "not needed any more"),
                    ("duplicate", "duplicate"),
                    ("fake", "fake"),
                    ("other", "something else"),
                ],
                max_length=16,
                verbose_name="what is wrong",
            ),
        ),
        migrations.AlterField(
            model_name="offer",
            name="min_lot",
            field=supplies.quantity.QuantityField(
                default=1,
                validators=[
                    django.core.validators.MinValueValidator(0),
                    django.core.validators.MaxValueValidator(10000000000),
                ],
                verbose_name="minimum quantity",
            ),
        ),
        migrations.AlterField(
            model_name="report",
            name="duplicate_of",
            field=models.CharField(blank=True, max_length=300, verbose_name="duplicate of"),
        ),
    ]
