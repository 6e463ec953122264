"""In which line of an appeal or a donation something stood when it was posted."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0004_both_languages'),
    ]

    operations = [
        migrations.AddField(
            model_name='need',
            name='position',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False, help_text='Of what was posted together, from 0.', verbose_name='line'),
        ),
        migrations.AddField(
            model_name='offer',
            name='position',
            field=models.PositiveSmallIntegerField(db_default=0, default=0, editable=False, help_text='Of what was posted together, from 0.', verbose_name='line'),
        ),
    ]
