"""What people read of these columns says it in plainer words; nothing in the database changes."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("matching", "0001_first_release"),
    ]

    operations = [
        migrations.AlterField(
            model_name="shortfall",
            name="cause",
            field=models.CharField(
                choices=[
                    ("no-compatible-offer", "nobody offers goods that would do"),
                    ("implausible-quantity", "the quantity asked for is not plausible"),
                    ("nothing-left", "the goods that would do are promised already"),
                    ("directed-elsewhere", "the goods that would do were given for somebody else"),
                    ("sender-not-accepted", "the hospital does not take goods from these senders"),
                    ("declined-before", "the pair was declined before"),
                    ("place-unknown", "it is not known where the goods lie, or where they are to go"),
                    ("no-transport", "no transport of these goods keeps them cold or takes dangerous goods"),
                    ("waits", "they are not urgent and wait for a nearer or better fitting offer"),
                    (
                        "beyond-use",
                        "more is asked for than the hospital can use in two months; the rest is not matched",
                    ),
                    ("too-far", "the goods may not travel that far"),
                    ("too-late", "the goods would arrive too late"),
                    ("expires", "the goods would expire too soon after arrival"),
                    ("below-lot", "the quantities are below the minimum quantity"),
                    ("remainder-below-lot", "what is left is below the minimum quantity"),
                    ("serves-more-urgent", "all goods that would do serve needs that come before it"),
                    ("given-to-others", "the goods that would do went to others, in whole packs"),
                ],
                max_length=24,
                verbose_name="why",
            ),
        ),
    ]
