"""Needs know by whom they were confirmed last and go grey before they lapse; anybody can say what is wrong with them."""

import uuid

import django.core.validators
import django.db.models.deletion
from django.conf import settings
from django.contrib.postgres.operations import AddIndexConcurrently, RemoveIndexConcurrently
from django.db import migrations, models

import supplies.quantity

AT_ONCE = 5_000

# Whatever an emergency asked for so far has to fit between: half the days until it lapses, a week at most.
DAYS_THAT_FIT = """
UPDATE supplies_emergency SET confirm_days = greatest(confirm_days, 1);
UPDATE supplies_emergency SET grey_days = least(7, confirm_days / 2);
UPDATE supplies_emergency SET remind_days = least(2, grey_days / 2);
"""


def say_by_whom(apps, schema_editor):
    """Of what was posted here: by its hospital, or by somebody else. Lists that were read are their source's already."""
    last = "00000000-0000-0000-0000-000000000000"
    while last:
        last = _say(schema_editor.connection, last)


def _say(connection, after):
    """The next needs, some thousands at a time; the key of the last of them."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH next AS (SELECT id, appeal_id FROM supplies_need WHERE id > %s ORDER BY id LIMIT %s),
                 posted AS (
                    SELECT next.id, EXISTS (
                        SELECT FROM supplies_facility site
                        JOIN supplies_membership member ON member.organisation_id = site.organisation_id
                        WHERE site.id = appeal.facility_id AND member.user_id = appeal.posted_by_id
                    ) AS is_hospital
                    FROM next JOIN supplies_appeal appeal ON appeal.id = next.appeal_id
                    WHERE appeal.posted_by_id IS NOT NULL
                 ),
                 said AS (
                    UPDATE supplies_need need
                    SET confirmed_by_kind = CASE WHEN is_hospital THEN 'hospital' ELSE 'poster' END
                    FROM posted WHERE posted.id = need.id
                 )
            SELECT max(id::text) FROM next
            """,
            [after, AT_ONCE],
        )
        return cursor.fetchone()[0]


class Migration(migrations.Migration):
    atomic = False  # indexes are built beside their table, and rows filled in some thousands at a time
    dependencies = [("supplies", "0034_one_hospital_one_need")]
    operations = [
        migrations.AddField(
            model_name='emergency',
            name='grey_days',
            field=models.PositiveSmallIntegerField(default=7, verbose_name='days until a need that nobody confirms goes grey'),
        ),
        migrations.AddField(
            model_name='emergency',
            name='remind_days',
            field=models.PositiveSmallIntegerField(default=2, verbose_name='days before either at which its hospital is reminded'),
        ),
        migrations.AlterField(
            model_name='emergency',
            name='confirm_days',
            field=models.PositiveIntegerField(default=14, verbose_name='days until a need that nobody confirms lapses'),
        ),
        migrations.RunSQL(DAYS_THAT_FIT, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name='emergency',
            constraint=models.CheckConstraint(condition=models.Q(('grey_days__lt', models.F('confirm_days')), ('remind_days__lte', models.F('grey_days'))), name='emergency_reminds_then_greys_then_ends', violation_error_message='A need goes grey before it lapses, and its hospital is reminded before that: remind ≤ grey < lapse.'),
        ),
        migrations.AddField(
            model_name='user',
            name='reminded_by_mail',
            field=models.BooleanField(default=False, help_text="Of what one's hospital asked for, before it is no longer shown as needed.", verbose_name='reminded by mail'),
        ),
        # Who gave her address before was told that it is used for nothing else: she is asked, others may say no.
        migrations.AlterField(
            model_name='user',
            name='reminded_by_mail',
            field=models.BooleanField(default=True, help_text="Of what one's hospital asked for, before it is no longer shown as needed.", verbose_name='reminded by mail'),
        ),
        migrations.AddField(
            model_name='need',
            name='confirmed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who confirmed', db_index=False),
        ),
        migrations.AddField(
            model_name='need',
            name='confirmed_by_kind',
            field=models.CharField(choices=[('hospital', 'the hospital'), ('telephone', 'a volunteer, who called the hospital'), ('volunteer', 'a volunteer'), ('poster', 'whoever posted it'), ('source', 'its source')], default='source', max_length=10, verbose_name='confirmed by'),
        ),
        migrations.AddField(
            model_name='need',
            name='is_grey',
            field=models.BooleanField(default=False, editable=False, verbose_name='not confirmed lately'),
        ),
        migrations.AddField(
            model_name='need',
            name='reminded',
            field=models.PositiveSmallIntegerField(choices=[(0, 'not yet'), (1, 'that it goes grey'), (2, 'that it lapses')], default=0, editable=False, verbose_name='reminded'),
        ),
        migrations.AddConstraint(
            model_name='need',
            constraint=models.CheckConstraint(condition=models.Q(('confirmed_by_kind__in', ['hospital', 'telephone', 'volunteer', 'poster', 'source'])), name='need_confirmed_by_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='need',
            constraint=models.CheckConstraint(condition=models.Q(('reminded__in', [0, 1, 2])), name='need_reminded_is_listed'),
        ),
        migrations.RunPython(say_by_whom, migrations.RunPython.noop),
        migrations.RunSQL("SET lock_timeout = 0", "SET lock_timeout = 0"),  # see 0025
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['urgency', 'is_grey', 'needed_by', 'id'], name='need_open_fresh_first'),
        ),
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['item', 'urgency', 'is_grey', 'needed_by', 'id'], name='need_open_of_item'),
        ),
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(fields=['urgency', 'is_grey', 'needed_by', 'id'], name='need_fresh_first'),
        ),
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(condition=models.Q(('status', 'open')), fields=['confirmed_at'], name='need_by_confirmation'),
        ),
        AddIndexConcurrently(
            model_name='need',
            index=models.Index(condition=models.Q(('is_grey', True), ('status', 'open')), fields=['urgency', 'confirmed_at', 'id'], name='need_grey'),
        ),
        RemoveIndexConcurrently(
            model_name='need',
            name='need_open_by_urgency',
        ),
        RemoveIndexConcurrently(
            model_name='need',
            name='need_open_by_item',
        ),
        RemoveIndexConcurrently(
            model_name='need',
            name='need_by_urgency',
        ),
        RemoveIndexConcurrently(
            model_name='need',
            name='need_to_confirm',
        ),
        migrations.RunSQL("RESET lock_timeout", "RESET lock_timeout"),
        migrations.CreateModel(
            name='ChangeRequest',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('what', models.CharField(choices=[('need', 'need'), ('appeal', 'appeal'), ('facility', 'facility'), ('organisation', 'organisation')], max_length=12, verbose_name='about')),
                ('kind', models.CharField(choices=[('closed', 'closed: takes nothing'), ('wrong_quantity', 'wrong quantity'), ('wrong_telephone', 'wrong telephone number'), ('not_needed', 'not needed any more'), ('duplicate', 'stands here twice'), ('fake', 'fake'), ('other', 'something else')], max_length=16, verbose_name='what is wrong')),
                ('status', models.CharField(choices=[('open', 'waiting for an answer'), ('accepted', 'accepted'), ('declined', 'declined'), ('withdrawn', 'taken back')], default='open', max_length=10, verbose_name='status')),
                ('as_it_stood', models.JSONField(default=dict, help_text='What was shown when it was first reported: public facts, codes and numbers only.', verbose_name='as it stood')),
                ('created_at', models.DateTimeField(verbose_name='first reported')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
                ('answer', models.CharField(blank=True, help_text='Whoever reported it reads this.', max_length=300, verbose_name='answer')),
                ('appeal', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='change_requests', to='supplies.appeal', verbose_name='appeal')),
                ('decided_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by')),
                ('facility', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='change_requests', to='supplies.facility', verbose_name='facility')),
                ('need', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='change_requests', to='supplies.need', verbose_name='need')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='change_requests', to='supplies.organisation', verbose_name='organisation')),
                ('region', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.region', verbose_name='region')),
            ],
            options={
                'verbose_name': 'requested change',
                'verbose_name_plural': 'requested changes',
                'indexes': [
                    models.Index(condition=models.Q(('status', 'open')), fields=['created_at', 'id'], name='change_request_waiting'),
                    models.Index(fields=['created_at', 'id'], name='change_request_oldest'),
                ],
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('status__in', ['open', 'accepted', 'declined', 'withdrawn'])), name='change_request_status_is_listed'),
                    models.CheckConstraint(condition=models.Q(models.Q(('appeal__isnull', True), ('facility__isnull', True), ('need__isnull', False), ('what', 'need')), models.Q(('appeal__isnull', False), ('facility__isnull', True), ('need__isnull', True), ('what', 'appeal')), models.Q(('appeal__isnull', True), ('facility__isnull', False), ('need__isnull', True), ('what', 'facility')), models.Q(('appeal__isnull', True), ('facility__isnull', True), ('need__isnull', True), ('what', 'organisation')), _connector='OR'), name='change_request_is_about_what_it_says'),
                    models.CheckConstraint(condition=models.Q(models.Q(('kind__in', ('not_needed', 'wrong_quantity', 'duplicate', 'fake', 'other')), ('what', 'need')), models.Q(('kind__in', ('not_needed', 'closed', 'wrong_telephone', 'duplicate', 'fake', 'other')), ('what', 'appeal')), models.Q(('kind__in', ('closed', 'wrong_telephone', 'duplicate', 'other')), ('what', 'facility')), models.Q(('kind__in', ('closed', 'wrong_telephone', 'duplicate', 'fake', 'other')), ('what', 'organisation')), _connector='OR'), name='change_request_kind_fits_what_it_is_about'),
                    models.CheckConstraint(condition=models.Q(models.Q(('decided_by', None), ('status__in', ['open', 'withdrawn'])), models.Q(('decided_at__isnull', False), ('decided_by__isnull', False), ('status__in', ['accepted', 'declined'])), _connector='OR'), name='change_request_decided_by_somebody'),
                    models.CheckConstraint(condition=models.Q(models.Q(('status', 'declined'), _negated=True), models.Q(('answer', ''), _negated=True), _connector='OR'), name='change_request_declined_says_why'),
                    models.UniqueConstraint(condition=models.Q(('status', 'open')), fields=('what', 'need', 'appeal', 'facility', 'organisation', 'kind'), name='change_request_open_once', nulls_distinct=False),
                ],
            },
        ),
        migrations.CreateModel(
            name='Report',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('code', models.CharField(default=supplies.quantity.new_code, editable=False, max_length=32, unique=True, verbose_name='tracking code')),
                ('quantity', supplies.quantity.QuantityField(blank=True, help_text="In the item's smallest counted unit.", null=True, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='right quantity')),
                ('duplicate_of', models.CharField(blank=True, max_length=300, verbose_name='stands here twice as')),
                ('words', models.CharField(blank=True, max_length=500, verbose_name='in their words')),
                ('at', models.DateTimeField(verbose_name='reported')),
                ('withdrawn_at', models.DateTimeField(blank=True, null=True, verbose_name='taken back')),
                ('change_request', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='reports', to='supplies.changerequest', verbose_name='requested change')),
                ('reported_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='reported by')),
            ],
            options={
                'verbose_name': 'report',
                'verbose_name_plural': 'reports',
                'constraints': [
                    models.CheckConstraint(condition=models.Q(('quantity', None), models.Q(('quantity__gte', 1), ('quantity__lte', 10000000000)), _connector='OR'), name='report_quantity_in_bounds'),
                ],
            },
        ),
    ]
