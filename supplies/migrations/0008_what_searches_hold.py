"""What a saved search holds besides: goods at hand, a standard, from whom the hospital takes goods, and how soon."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("supplies", "0007_need_requirements"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="savedsearch",
            name="search_over_offers_is_for_a_hospital",
        ),
        migrations.RemoveConstraint(
            model_name="savedsearch",
            name="search_saved_once",
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="due",
            field=models.PositiveSmallIntegerField(blank=True, null=True, verbose_name="needed within days"),
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="have",
            field=models.CharField(
                blank=True,
                db_default="",
                default="",
                help_text="Needs that they may serve.",
                max_length=60,
                verbose_name="goods at hand",
            ),
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="sender",
            field=models.CharField(
                blank=True,
                choices=[
                    ("person", "private person"),
                    ("company", "company"),
                    ("organisation", "charity or organisation"),
                    ("government", "public body"),
                ],
                db_default="",
                default="",
                max_length=12,
                verbose_name="takes goods from",
            ),
        ),
        migrations.AddField(
            model_name="savedsearch",
            name="standard",
            field=models.ForeignKey(
                blank=True,
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="+",
                to="supplies.standard",
                verbose_name="standard",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("over", "needs"),
                    models.Q(
                        ("due", None),
                        ("have", ""),
                        ("organisation__isnull", False),
                        ("sender", ""),
                        ("standard", None),
                        ("urgency", None),
                    ),
                    _connector="OR",
                ),
                name="search_over_offers_is_for_a_hospital",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.CheckConstraint(
                condition=models.Q(("sender__in", ["", "person", "company", "organisation", "government"])),
                name="search_sender_is_listed",
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.CheckConstraint(
                condition=models.Q(("due", None), ("due__gt", 0), _connector="OR"), name="search_due_is_ahead"
            ),
        ),
        migrations.AddConstraint(
            model_name="savedsearch",
            constraint=models.UniqueConstraint(
                fields=(
                    "user",
                    "over",
                    "urgency",
                    "have",
                    "standard",
                    "sender",
                    "due",
                    "q",
                    "category",
                    "item",
                    "region",
                    "organisation",
                ),
                name="search_saved_once",
                nulls_distinct=False,
            ),
        ),
    ]
