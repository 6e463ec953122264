
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0046_temperatures_and_what_waits_longest'),
    ]

    operations = [
        migrations.CreateModel(
            name='Following',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('email_sealed', models.BinaryField()),
                ('email_lookup', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=53), blank=True, default=list, editable=False, size=None)),
                ('language', models.CharField(max_length=10, verbose_name='language')),
                ('asked_at', models.DateTimeField(verbose_name='asked')),
                ('confirmed_at', models.DateTimeField(blank=True, null=True, verbose_name='confirmed')),
                ('erase_at', models.DateTimeField(verbose_name='to be erased')),
                ('shipment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='followings', to='supplies.shipment', verbose_name='shipment')),
            ],
            options={
                'verbose_name': 'follower of a shipment',
                'verbose_name_plural': 'followers of shipments',
                'indexes': [django.contrib.postgres.indexes.GinIndex(fields=['email_lookup'], name='following_by_email'), models.Index(fields=['erase_at'], name='following_by_end')],
                'constraints': [models.CheckConstraint(condition=models.Q(('email_sealed', b''), _negated=True), name='following_has_an_address')],
            },
        ),
        migrations.CreateModel(
            name='Lane',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('journeys', models.PositiveIntegerField(verbose_name='journeys')),
                ('fast_days', models.PositiveSmallIntegerField(verbose_name='days, fast')),
                ('median_days', models.PositiveSmallIntegerField(verbose_name='days, in the middle')),
                ('slow_days', models.PositiveSmallIntegerField(verbose_name='days, slow')),
                ('observed_at', models.DateTimeField(verbose_name='counted')),
                ('from_region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.region', verbose_name='from the region')),
                ('mode', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.transportmode', verbose_name='transport')),
                ('to_region', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.region', verbose_name='to the region')),
            ],
            options={
                'verbose_name': 'lane',
                'verbose_name_plural': 'lanes',
                'constraints': [models.UniqueConstraint(fields=('from_region', 'to_region', 'mode'), name='lane_once', nulls_distinct=False), models.CheckConstraint(condition=models.Q(('fast_days__lte', models.F('median_days')), ('median_days__lte', models.F('slow_days'))), name='lane_days_are_in_order'), models.CheckConstraint(condition=models.Q(('journeys__gte', 1)), name='lane_was_travelled')],
            },
        ),
        migrations.CreateModel(
            name='Thanks',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('words', models.CharField(max_length=500, verbose_name='thanks')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('withheld_at', models.DateTimeField(blank=True, null=True, verbose_name='withheld')),
                ('withheld_because', models.CharField(blank=True, max_length=300, verbose_name='why it is withheld')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
                ('shipment', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, related_name='thanks', to='supplies.shipment', verbose_name='shipment')),
            ],
            options={
                'verbose_name': 'thanks',
                'verbose_name_plural': 'thanks',
                'indexes': [models.Index(fields=['-at', '-id'], name='thanks_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('words', ''), _negated=True), name='thanks_say_something'), models.CheckConstraint(condition=models.Q(('withheld_at', None), models.Q(('withheld_because', ''), _negated=True), _connector='OR'), name='thanks_are_withheld_for_a_reason')],
            },
        ),
    ]
