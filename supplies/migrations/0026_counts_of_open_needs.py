"""The first page reads how many needs are open from a small table, counted by the timetable."""
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0025_names_by_mention'),
    ]

    operations = [
        migrations.CreateModel(
            name='OpenCount',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('urgency', models.PositiveSmallIntegerField(choices=[(1, 'critical: runs out within a day'), (2, 'urgent: runs out within three days'), (3, 'soon: runs out within a fortnight'), (4, 'reserve')], verbose_name='urgency')),
                ('lines', models.PositiveIntegerField(verbose_name='open needs')),
                ('counted_at', models.DateTimeField(verbose_name='counted')),
                ('category', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.category', verbose_name='category')),
            ],
            options={
                'verbose_name': 'count of open needs',
                'verbose_name_plural': 'counts of open needs',
                'constraints': [models.UniqueConstraint(fields=('category', 'urgency'), name='open_count_once'), models.CheckConstraint(condition=models.Q(('urgency__in', [1, 2, 3, 4])), name='open_count_urgency_is_listed')],
            },
        ),
    ]
