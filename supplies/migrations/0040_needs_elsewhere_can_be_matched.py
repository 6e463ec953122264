"""Needs that another instance tells can take part in matching, through a need of ours that says where it is from."""

import django.db.models.deletion
from django.db import migrations, models

import supplies.free_text

STAND_INS = """
CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS "foreign_need_has_a_stand_in_of_its_own"
ON "supplies_foreignneed" ("need_id") WHERE "need_id" IS NOT NULL
"""


class Migration(migrations.Migration):
    atomic = False  # an index is built beside its table
    dependencies = [("supplies", "0039_an_import_counts_its_attempts")]
    operations = [
        migrations.AddField(
            model_name='foreignneed',
            name='need',
            field=models.ForeignKey(blank=True, db_index=False, editable=False, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='told_as', to='supplies.need', verbose_name='stands for it in matching'),
        ),
        migrations.AddField(
            model_name='need',
            name='origin',
            field=models.CharField(blank=True, default='', editable=False, help_text='The instance it was posted at; empty for one posted here.', max_length=200, verbose_name='told by'),
        ),
        migrations.AddField(
            model_name='peer',
            name='is_matched',
            field=models.BooleanField(default=False, editable=False, verbose_name='its needs are matched here'),
        ),
        migrations.AddField(
            model_name='peer',
            name='matched_because',
            field=supplies.free_text.ShortText(blank=True, editable=False, max_length=200, verbose_name='why they are, or are not any more'),
        ),
        migrations.AlterField(
            model_name='organisation',
            name='kind',
            field=models.CharField(choices=[('hospital', 'hospital'), ('donor', 'donor'), ('carrier', 'carrier'), ('coordinator', 'coordinator or charity'), ('volunteers', 'volunteer group'), ('elsewhere', 'hospital of another instance')], max_length=12, verbose_name='kind'),
        ),
        migrations.AddConstraint(
            model_name='peer',
            constraint=models.CheckConstraint(condition=models.Q(('is_matched', False), models.Q(('status', 'active'), models.Q(('matched_because', ''), _negated=True)), _connector='OR'), name='peer_is_matched_while_it_is_read_and_for_a_reason'),
        ),
        migrations.RunSQL("SET lock_timeout = 0", "SET lock_timeout = 0"),  # see 0025
        migrations.RunSQL(
            STAND_INS,
            'DROP INDEX CONCURRENTLY IF EXISTS "foreign_need_has_a_stand_in_of_its_own"',
            state_operations=[
                migrations.AddConstraint(
                    model_name='foreignneed',
                    constraint=models.UniqueConstraint(condition=models.Q(('need__isnull', False)), fields=('need',), name='foreign_need_has_a_stand_in_of_its_own'),
                ),
            ],
        ),
    ]
