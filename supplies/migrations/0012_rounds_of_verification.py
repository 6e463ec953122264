"""Rounds of verification: what was found out about an organisation, by whom, until when; and the calls made for it."""

import django.contrib.postgres.fields
import django.db.models.deletion
import supplies.organisations.notes
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supplies", "0011_private_files")]

    operations = [
        migrations.AddField(
            model_name='organisation',
            name='by_source',
            field=models.BooleanField(default=False, help_text='Taken over from a list that was moderated where it was published.', verbose_name='by its source'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='check_round',
            field=models.PositiveIntegerField(default=1, editable=False),
        ),
        migrations.AddField(
            model_name='organisation',
            name='public_note',
            field=models.CharField(blank=True, help_text='How it was verified; of a refused one, what has to change.', max_length=601, verbose_name='public note'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='recheck_on',
            field=models.DateField(blank=True, null=True, verbose_name='check again on'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='registered_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='registered by'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='seconded_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='and by'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='to_check_since',
            field=models.DateField(blank=True, null=True, verbose_name='to be checked again since'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='verified_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='verified by'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='verified_on',
            field=models.DateField(blank=True, null=True, verbose_name='verified on'),
        ),
        migrations.AddField(
            model_name='verification',
            name='motive',
            field=models.CharField(default='', help_text='For volunteers only: what convinced you, what you doubt.', max_length=1000, validators=[supplies.organisations.notes.names_no_number], verbose_name='why'),
            preserve_default=False,
        ),
        migrations.RenameField(
            model_name='verification',
            old_name='note',
            new_name='public_note',
        ),
        migrations.AlterField(
            model_name='verification',
            name='public_note',
            field=models.CharField(help_text='How it was found out, for everybody to read; no names, no numbers.', max_length=300, validators=[supplies.organisations.notes.names_no_number], verbose_name='public note'),
        ),
        migrations.AddField(
            model_name='verification',
            name='recheck_on',
            field=models.DateField(blank=True, null=True, verbose_name='check again on'),
        ),
        migrations.AddField(
            model_name='verification',
            name='role',
            field=models.CharField(choices=[('hospital', 'hospital'), ('donor', 'donor'), ('carrier', 'carrier'), ('volunteer', 'volunteer'), ('coordinator', 'coordinator'), ('auditor', 'auditor'), ('admin', 'administrator')], default='', editable=False, max_length=12, verbose_name='in the role of'),
            preserve_default=False,
        ),
        migrations.AddField(
            model_name='verification',
            name='round',
            field=models.PositiveIntegerField(default=0, editable=False),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name='verification',
            name='verdict',
            field=models.CharField(choices=[('verified', 'believes it'), ('refused', 'refuses')], max_length=12, verbose_name='verdict'),
        ),
        migrations.AddField(
            model_name='verification',
            name='evidence',
            field=models.ManyToManyField(blank=True, related_name='relied_on_by', to='supplies.attachment', verbose_name='evidence'),
        ),
        migrations.CreateModel(
            name='CallLog',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('round', models.PositiveIntegerField(editable=False)),
                ('origin', models.CharField(choices=[('register', 'from an official register'), ('website', 'from its website'), ('records', 'from our own records'), ('given', 'given by the organisation')], max_length=12, verbose_name='where the number is from')),
                ('contact', models.UUIDField(blank=True, help_text='Its id; the row may have been erased since.', null=True, verbose_name='contact')),
                ('outcome', models.CharField(choices=[('confirmed', 'confirmed'), ('denied', 'denied'), ('no_answer', 'no answer'), ('wrong_number', 'wrong number')], max_length=12, verbose_name='outcome')),
                ('note', models.CharField(blank=True, help_text='Who answered, by post; what they said. No names, no numbers.', max_length=300, validators=[supplies.organisations.notes.names_no_number], verbose_name='note')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who called')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='calls', to='supplies.organisation', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'call',
                'verbose_name_plural': 'calls',
            },
        ),
        migrations.AddConstraint(
            model_name='calllog',
            constraint=models.CheckConstraint(condition=models.Q(('origin__in', ['register', 'website', 'records', 'given'])), name='call_origin_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='calllog',
            constraint=models.CheckConstraint(condition=models.Q(('outcome__in', ['confirmed', 'denied', 'no_answer', 'wrong_number'])), name='call_outcome_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='calllog',
            constraint=models.CheckConstraint(condition=models.Q(('contact', None), ('origin', 'given'), _connector='OR'), name='call_to_a_kept_contact_is_to_a_given_number'),
        ),
        migrations.AddIndex(
            model_name='organisation',
            index=models.Index(condition=models.Q(('status', 'unverified')), fields=['created_at', 'id'], name='organisation_waiting'),
        ),
        migrations.AddIndex(
            model_name='organisation',
            index=models.Index(condition=models.Q(('to_check_since__isnull', False)), fields=['to_check_since'], name='organisation_to_check_again'),
        ),
        migrations.AddIndex(
            model_name='organisation',
            index=models.Index(condition=models.Q(('status', 'verified'), ('to_check_since', None)), fields=['recheck_on'], name='organisation_by_recheck'),
        ),
        migrations.AlterField(
            model_name='apitoken',
            name='scopes',
            field=django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('read', 'read'), ('needs', 'post needs'), ('offers', 'post offers'), ('matching', 'run the matching and answer proposals'), ('shipments', 'move shipments'), ('verify', 'verify organisations')], max_length=12), default=list, size=None, verbose_name='scopes'),
        ),
    ]
