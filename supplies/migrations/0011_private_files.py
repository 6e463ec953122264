"""Private files: the rows. The bytes lie sealed outside of the database."""

import uuid

import django.db.models.deletion
import supplies.attachments.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supplies", "0010_second_factors")]

    operations = [
        migrations.CreateModel(
            name='Attachment',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('subject', models.CharField(max_length=40, verbose_name='about')),
                ('subject_id', models.CharField(max_length=40, verbose_name='its id')),
                ('position', models.PositiveSmallIntegerField(editable=False)),
                ('kind', models.CharField(choices=[('letter', 'letter with a seal'), ('licence', 'practice licence or registration'), ('card', 'staff card or certificate'), ('notice', 'public announcement'), ('other', 'something else')], max_length=10, verbose_name='kind')),
                ('media_type', models.CharField(choices=[('application/pdf', 'PDF'), ('image/jpeg', 'JPEG'), ('image/png', 'PNG'), ('image/webp', 'WebP')], max_length=20, verbose_name='type')),
                ('size', models.PositiveIntegerField(verbose_name='bytes')),
                ('sha256', models.CharField(editable=False, max_length=64)),
                ('stored_as', models.CharField(default=supplies.attachments.models.new_name, editable=False, max_length=32, unique=True)),
                ('key_sealed', models.BinaryField(default=b'')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('erase_on', models.DateField(verbose_name='erase on')),
                ('erased_at', models.DateTimeField(blank=True, null=True, verbose_name='erased')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='handed in by')),
            ],
            options={
                'verbose_name': 'private file',
                'verbose_name_plural': 'private files',
            },
        ),
        migrations.AddIndex(
            model_name='attachment',
            index=models.Index(condition=models.Q(('erased_at', None)), fields=['erase_on'], name='attachment_to_erase'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['letter', 'licence', 'card', 'notice', 'other'])), name='attachment_kind_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('media_type__in', ['application/pdf', 'image/jpeg', 'image/png', 'image/webp'])), name='attachment_type_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('size__range', (1, 5000000))), name='attachment_is_small'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(('position__range', (1, 10))), name='attachment_is_one_of_few'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.UniqueConstraint(condition=models.Q(('erased_at', None)), fields=('subject', 'subject_id', 'position'), name='attachment_has_its_own_place'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.UniqueConstraint(condition=models.Q(('erased_at', None)), fields=('subject', 'subject_id', 'sha256'), name='attachment_once_a_subject'),
        ),
        migrations.AddConstraint(
            model_name='attachment',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('erased_at', None), ('key_sealed__gt', b'')), models.Q(('erased_at__isnull', False), ('key_sealed', b''), ('sha256', '')), _connector='OR'), name='attachment_opens_until_it_is_erased'),
        ),
    ]
