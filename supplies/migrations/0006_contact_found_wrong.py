"""That a telephone number was found to be wrong: it is kept until its day, and nobody is led to it."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0005_lines_in_order'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='found_wrong_at',
            field=models.DateTimeField(blank=True, editable=False, help_text='Kept until its day, so that it can be looked up what it was; nobody is led to it.', null=True, verbose_name='found wrong'),
        ),
    ]
