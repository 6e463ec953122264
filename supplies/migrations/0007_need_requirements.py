"""What else the goods have to be, in the hospital's words: it stood in the remark, which the public does not read."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0006_contact_found_wrong'),
    ]

    operations = [
        migrations.AddField(
            model_name='need',
            name='requirements',
            field=models.CharField(blank=True, db_default='', default='', help_text="In the hospital's words, for everybody: a test report, no valve, a brand that fits.", max_length=300, verbose_name='what else it has to be'),
        ),
    ]
