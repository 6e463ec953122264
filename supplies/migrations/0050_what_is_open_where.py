"""The pages read where needs are open, and what is lacking of an item, from small tables counted by the timetable."""
import django.db.models.deletion
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):

    atomic = False

    dependencies = [
        ('supplies', '0049_notices_for_people'),
    ]

    operations = [
        migrations.CreateModel(
            name='ItemGap',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lines', models.PositiveIntegerField(verbose_name='open needs')),
                ('critical', models.PositiveIntegerField(verbose_name='critical ones')),
                ('asked', models.BigIntegerField(verbose_name='asked for')),
                ('quantity_promised', models.BigIntegerField(verbose_name='promised')),
                ('quantity_in_transit', models.BigIntegerField(verbose_name='in transit')),
                ('quantity_received', models.BigIntegerField(verbose_name='received')),
                ('quantity_outstanding', models.BigIntegerField(verbose_name='outstanding')),
                ('counted_at', models.DateTimeField(verbose_name='counted')),
            ],
            options={
                'verbose_name': 'gap of an item',
                'verbose_name_plural': 'gaps of items',
            },
        ),
        migrations.CreateModel(
            name='OpenThere',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lines', models.PositiveIntegerField(verbose_name='open needs inside')),
                ('critical', models.PositiveIntegerField(verbose_name='critical ones inside')),
                ('own_lines', models.PositiveIntegerField(help_text='Of hospitals in no smaller region.', verbose_name='open needs of its own')),
                ('counted_at', models.DateTimeField(verbose_name='counted')),
            ],
            options={
                'verbose_name': 'open needs of a region',
                'verbose_name_plural': 'open needs of regions',
            },
        ),
        migrations.AddField(
            model_name='opencount',
            name='in_transit',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='open needs with goods in transit'),
        ),
        migrations.AddField(
            model_name='opencount',
            name='promised',
            field=models.PositiveIntegerField(db_default=0, default=0, verbose_name='open needs with goods promised'),
        ),
        migrations.AddField(
            model_name='itemgap',
            name='item',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='gaps', to='supplies.item', verbose_name='item'),
        ),
        migrations.AddField(
            model_name='itemgap',
            name='region',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.region', verbose_name='region'),
        ),
        migrations.AddField(
            model_name='openthere',
            name='region',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='open_there', to='supplies.region', verbose_name='region'),
        ),
        migrations.AddConstraint(
            model_name='itemgap',
            constraint=models.UniqueConstraint(fields=('item', 'region'), name='item_gap_once'),
        ),
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(condition=models.Q(('status', 'met')), fields=['urgency', 'is_grey', 'needed_by', 'id'], name='need_met_fresh_first'),
        ),
    ]
