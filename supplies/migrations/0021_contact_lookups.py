
import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0020_what_is_written_waits_for_its_seal'),
    ]

    operations = [
        migrations.AddField(
            model_name='contact',
            name='email_lookup',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=53), blank=True, default=list, editable=False, size=None),
        ),
        migrations.AddField(
            model_name='contact',
            name='entered_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by'),
        ),
        migrations.AddField(
            model_name='contact',
            name='phone_lookup',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=53), blank=True, default=list, editable=False, size=None),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'read'), ('needs', 'post needs'), ('offers', 'post offers'), ('matching', 'run the matching and answer proposals'), ('shipments', 'move shipments'), ('verify', 'verify organisations'), ('contacts', 'be shown telephone numbers')], max_length=12), default=list, size=None, verbose_name='scopes'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=django.contrib.postgres.indexes.GinIndex(fields=['phone_lookup'], name='contact_by_phone'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=django.contrib.postgres.indexes.GinIndex(fields=['email_lookup'], name='contact_by_email'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['erase_on'], name='contact_by_day'),
        ),
        migrations.AddIndex(
            model_name='contact',
            index=models.Index(fields=['entered_by'], name='contact_by_author'),
        ),
    ]
