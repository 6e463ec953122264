"""All tables of the first release, what keeps a run as it was, and the two policies that may be chosen at first."""

import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import matching.models
import supplies.at_once
import supplies.quantity
import uuid
from django.conf import settings
from django.db import migrations, models

# What a run found and proposed is evidence: the database itself refuses to rewrite it, whoever asks.
REFUSE = """
CREATE FUNCTION matching_stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% %: %', TG_TABLE_NAME, OLD.id, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$$;

CREATE TRIGGER run_stays_as_it_was BEFORE UPDATE OR DELETE ON matching_matchingrun FOR EACH ROW
    WHEN (OLD.status IN ('done', 'failed'))
    EXECUTE FUNCTION matching_stays_as_it_was('a run that has ended is not changed');

CREATE TRIGGER family_run_stays_as_it_was BEFORE UPDATE OR DELETE ON matching_familyrun FOR EACH ROW
    WHEN (OLD.status IN ('done', 'failed'))
    EXECUTE FUNCTION matching_stays_as_it_was('a run that has ended is not changed');

CREATE TRIGGER proposal_stays_what_it_was BEFORE UPDATE ON matching_proposal FOR EACH ROW
    WHEN ((OLD.family_run_id, OLD.is_by_hand, OLD.place, OLD.need_id, OLD.offer_id, OLD.quantity, OLD.km, OLD.days,
           OLD.is_conditional, OLD.condition, OLD.because)
          IS DISTINCT FROM
          (NEW.family_run_id, NEW.is_by_hand, NEW.place, NEW.need_id, NEW.offer_id, NEW.quantity, NEW.km, NEW.days,
           NEW.is_conditional, NEW.condition, NEW.because))
    EXECUTE FUNCTION matching_stays_as_it_was('what was proposed is not changed');

CREATE TRIGGER approval_stays_what_it_was BEFORE UPDATE ON matching_proposal FOR EACH ROW
    WHEN (OLD.approved_by_id IS NOT NULL
          AND (OLD.approved_by_id, OLD.quantity_left_out, OLD.passed_over, OLD.deviation)
              IS DISTINCT FROM
              (NEW.approved_by_id, NEW.quantity_left_out, NEW.passed_over, NEW.deviation))
    EXECUTE FUNCTION matching_stays_as_it_was('what was approved, by whom and why is not changed');

CREATE TRIGGER proposal_is_kept BEFORE DELETE ON matching_proposal FOR EACH ROW
    EXECUTE FUNCTION matching_stays_as_it_was('a proposal is kept');
"""
NOT_REFUSING = """
DROP TRIGGER proposal_is_kept ON matching_proposal;
DROP TRIGGER approval_stays_what_it_was ON matching_proposal;
DROP TRIGGER proposal_stays_what_it_was ON matching_proposal;
DROP TRIGGER family_run_stays_as_it_was ON matching_familyrun;
DROP TRIGGER run_stays_as_it_was ON matching_matchingrun;
DROP FUNCTION matching_stays_as_it_was();
"""
POLICIES = [
    {
        "code": "urgency",
        "name_zh": "按紧急程度，先急后缓",
        "name_en": "the most urgent first",
        "order": "1:1-10 2:1-10 3:1-10 4:1-10",
    },
    {
        "code": "floor",
        "name_zh": "先保证人人有一份，再按紧急程度",
        "name_en": "everyone a little first",
        "order": "1:1-2 2:1-2 3:1-2 4:1-2 1:3-10 2:3-10 3:3-10 4:3-10",
    },
]
WAITING = {"waits_from_urgency": 3, "wait_limit_km": 500, "wait_growth_days": 7, "last_chance_days": 7, "ageing_days": 21}


def bring_policies(apps, schema_editor):
    policy = apps.get_model("matching", "MatchingPolicy")
    for given in POLICIES:
        policy.objects.create(**given, **WAITING)


class Migration(migrations.Migration):

    initial = True
    replaces = [
        ("matching", "0001_initial"),
        ("matching", "0002_approvals_may_depart_from_the_plan"),
        ("matching", "0003_deviations_are_found_by_index"),
        ("matching", "0004_runs_say_what_they_were_made_with"),
        ("matching", "0005_runs_stay_as_they_were"),
        ("matching", "0006_policies_are_rows_and_proposals_are_superseded"),
        ("matching", "0007_why_needs_stay_short"),
        ("matching", "0008_orders_of_coordinators"),
    ]

    dependencies = [
        ('supplies', '0003_triggers_and_volunteers'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        supplies.at_once.CreateModels(
            models=[
                migrations.CreateModel(
                    name='Order',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('kind', models.CharField(choices=[('freeze', 'freeze: nothing new is proposed'), ('reserve', 'reserve an offer for a place'), ('prefer', 'prefer a place: one class more urgent'), ('forbid', 'forbid an offer to a place')], max_length=8, verbose_name='kind')),
                        ('emergency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='orders', to='supplies.emergency', verbose_name='emergency')),
                        ('item', models.ForeignKey(blank=True, help_text='Empty: all goods.', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.item', verbose_name='item')),
                        ('region', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.region', verbose_name='region')),
                        ('facility', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.facility', verbose_name='hospital')),
                        ('offer', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.offer', verbose_name='offer')),
                        ('reason', models.CharField(help_text='Who is held up by it reads this. No names, no numbers.', max_length=300, verbose_name='reason')),
                        ('until_at', models.DateTimeField(verbose_name='until')),
                        ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ordered by')),
                        ('created_at', models.DateTimeField(verbose_name='ordered')),
                        ('ended_at', models.DateTimeField(blank=True, null=True, verbose_name='ended')),
                        ('ended_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='ended by')),
                    ],
                    options={
                        'verbose_name': 'order',
                        'verbose_name_plural': 'orders',
                        'indexes': [
                            models.Index(fields=['-created_at', '-id'], name='order_newest'),
                        ],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('kind__in', ['freeze', 'reserve', 'prefer', 'forbid'])), name='order_kind_is_listed'),
                            models.CheckConstraint(condition=models.Q(('reason', ''), _negated=True), name='order_says_why'),
                            models.CheckConstraint(condition=models.Q(('until_at__gt', models.F('created_at'))), name='order_runs_out_later'),
                            models.CheckConstraint(condition=models.Q(models.Q(('ended_at', None), ('ended_by', None)), models.Q(('ended_at__isnull', False), ('ended_by__isnull', False)), _connector='OR'), name='order_ended_by_somebody'),
                            models.CheckConstraint(condition=models.Q(models.Q(('facility', None), ('kind', 'freeze'), ('offer', None)), models.Q(('kind', 'prefer'), ('offer', None), models.Q(models.Q(('facility__isnull', False), ('region', None)), models.Q(('facility', None), ('region__isnull', False)), _connector='OR')), models.Q(('item', None), ('kind__in', ['reserve', 'forbid']), ('offer__isnull', False), models.Q(models.Q(('facility__isnull', False), ('region', None)), models.Q(('facility', None), ('region__isnull', False)), _connector='OR')), _connector='OR'), name='order_says_what_it_is_about'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='MatchingPolicy',
                    fields=[
                        ('code', models.SlugField(max_length=20, primary_key=True, serialize=False, verbose_name='code')),
                        ('name_zh', models.CharField(max_length=80, verbose_name='name in Chinese')),
                        ('name_en', models.CharField(max_length=80, verbose_name='name in English')),
                        ('is_offered', models.BooleanField(default=True, verbose_name='may be chosen')),
                        ('order', models.CharField(default='1:1-10 2:1-10 3:1-10 4:1-10', help_text='Urgency and tenths of a need, first to last: 1:1-2 2:1-2 1:3-10 … Every tenth of every urgency once.', max_length=400, validators=[matching.models.orders_of_levels], verbose_name='order')),
                        ('facility_percent', models.PositiveSmallIntegerField(default=100, help_text='Of the goods of a family, while they do not suffice for all. 100: no limit.', validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='most for one facility, percent')),
                        ('ageing_days', models.PositiveSmallIntegerField(default=0, help_text='0: never.', verbose_name='days until the last urgency moves up')),
                        ('parcel_km', models.PositiveIntegerField(default=50000, help_text='Spread over its units: the higher, the fewer and larger the parcels.', verbose_name='what a parcel weighs, km')),
                        ('waits_from_urgency', models.PositiveSmallIntegerField(blank=True, help_text='This urgency and the less urgent ones wait for a nearer partner. Empty: nobody waits.', null=True, validators=[django.core.validators.MinValueValidator(2), django.core.validators.MaxValueValidator(4)], verbose_name='waits from urgency')),
                        ('wait_limit_km', models.PositiveIntegerField(default=500, help_text='What a unit may cost: its way, and what fits less well.', verbose_name='limit on the first day, km')),
                        ('wait_growth_days', models.PositiveSmallIntegerField(default=7, validators=[django.core.validators.MinValueValidator(1)], verbose_name='days until the limit doubles')),
                        ('last_chance_days', models.PositiveSmallIntegerField(default=7, verbose_name='days before deadline or expiry when nobody waits')),
                        ('small_first_km', models.PositiveIntegerField(default=0, verbose_name='what finishing a need is worth, km')),
                        ('wait_parcel_km', models.PositiveIntegerField(default=0, help_text='Spread over its units. 0: only the way and the fit count.', verbose_name='what a parcel weighs while waiting, km')),
                    ],
                    options={
                        'verbose_name': 'matching policy',
                        'verbose_name_plural': 'matching policies',
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('facility_percent__gte', 1), ('facility_percent__lte', 100), ('wait_growth_days__gte', 1)), name='policy_shares_and_days_make_sense'),
                            models.CheckConstraint(condition=models.Q(('waits_from_urgency', None), models.Q(('waits_from_urgency__gte', 2), ('waits_from_urgency__lte', 4)), _connector='OR'), name='policy_first_urgency_never_waits'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='MatchingRun',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('emergency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='matching_runs', to='supplies.emergency', verbose_name='emergency')),
                        ('status', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='queued', max_length=10, verbose_name='status')),
                        ('trigger', models.CharField(choices=[('hand', 'by hand'), ('timetable', 'by the timetable'), ('event', 'by a new need or offer')], max_length=10, verbose_name='started by what')),
                        ('policy', models.CharField(default='urgency', max_length=20, verbose_name='policy')),
                        ('only', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=40), blank=True, default=list, help_text='Empty: all.', size=None, verbose_name='families asked for')),
                        ('is_dry', models.BooleanField(default=False, help_text='Computes and counts; proposes nothing.', verbose_name='dry run')),
                        ('as_of', models.DateTimeField(help_text='The moment the run judges deadlines and shelf life by.', verbose_name='as of')),
                        ('editions', models.JSONField(default=dict, help_text='The version of each reference table it matched under.', verbose_name='rules')),
                        ('started_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='by')),
                        ('created_at', models.DateTimeField(verbose_name='created')),
                        ('finished_at', models.DateTimeField(blank=True, null=True, verbose_name='finished')),
                        ('attempts', models.PositiveIntegerField(default=0, editable=False, verbose_name='attempt')),
                        ('failure', models.CharField(blank=True, max_length=500, verbose_name='why it failed')),
                    ],
                    options={
                        'verbose_name': 'matching run',
                        'verbose_name_plural': 'matching runs',
                        'indexes': [
                            models.Index(fields=['-created_at', '-id'], name='matching_run_newest'),
                        ],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed'])), name='matching_run_status_is_listed'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='FamilyRun',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='families', to='matching.matchingrun', verbose_name='matching run')),
                        ('emergency', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.emergency', verbose_name='emergency')),
                        ('family', models.CharField(max_length=40, verbose_name='family')),
                        ('size', models.PositiveBigIntegerField(default=0, verbose_name='needs times offers')),
                        ('status', models.CharField(choices=[('queued', 'queued'), ('running', 'running'), ('done', 'done'), ('failed', 'failed')], default='queued', max_length=10, verbose_name='status')),
                        ('attempt', models.PositiveIntegerField(default=0, verbose_name='attempt')),
                        ('lease_until', models.DateTimeField(blank=True, null=True, verbose_name='lease until')),
                        ('rows', models.BinaryField(help_text='Which need and which offer each row is, and the version it was read in.', null=True)),
                        ('problem', models.BinaryField(help_text='The columns it solved, compressed, for replay.', null=True)),
                        ('plan', models.BinaryField(null=True)),
                        ('made_with', models.JSONField(default=dict, editable=False, help_text='Policy, seed (none is drawn), version and digest of the kernel and of what it stands on.', verbose_name='made with')),
                        ('needs', models.PositiveIntegerField(default=0, verbose_name='needs')),
                        ('offers', models.PositiveIntegerField(default=0, verbose_name='offers')),
                        ('proposals', models.PositiveIntegerField(default=0, verbose_name='proposals')),
                        ('kept', models.PositiveIntegerField(default=0, help_text='Proposed by an earlier run, and still the best there is.', verbose_name='kept')),
                        ('superseded', models.PositiveIntegerField(default=0, help_text='Proposed by an earlier run, and taken back for a better one.', verbose_name='superseded')),
                        ('stale', models.PositiveIntegerField(default=0, verbose_name='left out because their inputs changed')),
                        ('units', models.PositiveBigIntegerField(default=0, verbose_name='units proposed')),
                        ('by_urgency', models.JSONField(default=dict, help_text='urgency -> wanted, served before, proposed', verbose_name='by urgency')),
                        ('seconds', models.JSONField(default=dict, help_text='phase -> seconds', verbose_name='seconds')),
                        ('shortfalls', models.JSONField(default=dict, help_text='reason -> number of needs', verbose_name='why needs stay short')),
                        ('failure', models.CharField(blank=True, max_length=500, verbose_name='why it failed')),
                    ],
                    options={
                        'verbose_name': 'family of a run',
                        'verbose_name_plural': 'families of a run',
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('status__in', ['queued', 'running', 'done', 'failed'])), name='family_run_status_is_listed'),
                            models.UniqueConstraint(fields=('run', 'family'), name='family_once_per_run'),
                            models.UniqueConstraint(condition=models.Q(('status', 'running')), fields=('emergency', 'family'), name='family_runs_once_at_a_time'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Proposal',
                    fields=[
                        ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                        ('family_run', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposed', to='matching.familyrun', verbose_name='run')),
                        ('is_by_hand', models.BooleanField(default=False, editable=False, verbose_name='made by hand')),
                        ('place', models.PositiveIntegerField(blank=True, editable=False, help_text='In the order of the policy: 1 is to be approved first.', null=True, verbose_name='place in its run')),
                        ('need', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='supplies.need', verbose_name='need')),
                        ('offer', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='proposals', to='supplies.offer', verbose_name='offer')),
                        ('quantity', supplies.quantity.QuantityField(editable=False, help_text='As the run proposed it; never changed.', validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='quantity proposed')),
                        ('quantity_left_out', supplies.quantity.QuantityField(default=0, editable=False, validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='left out when it was approved')),
                        ('status', models.CharField(choices=[('open', 'waiting for a volunteer'), ('approved', 'approved, waiting for a yes'), ('agreed', 'agreed'), ('declined', 'declined'), ('expired', 'expired'), ('withdrawn', 'withdrawn'), ('superseded', 'superseded')], default='open', max_length=10, verbose_name='status')),
                        ('km', models.PositiveIntegerField(verbose_name='km')),
                        ('days', models.PositiveIntegerField(verbose_name='days on the way')),
                        ('is_conditional', models.BooleanField(default=False, verbose_name="needs the hospital's yes")),
                        ('condition', models.CharField(blank=True, max_length=300, verbose_name='condition')),
                        ('because', models.JSONField(default=dict, verbose_name='why')),
                        ('created_at', models.DateTimeField(verbose_name='proposed at')),
                        ('expires_at', models.DateTimeField(verbose_name='expires')),
                        ('approved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='approved by')),
                        ('approved_at', models.DateTimeField(blank=True, null=True, verbose_name='approved')),
                        ('passed_over', models.PositiveIntegerField(default=0, editable=False, help_text='More urgent proposals of the same goods that waited when this one was approved.', verbose_name='passed over')),
                        ('deviation', models.CharField(blank=True, choices=[('hospital_asked', 'the hospital asked for it'), ('donor_asked', 'the donor asked for it'), ('transport', 'transport'), ('goods_differ', 'the goods differ from what was stated'), ('recount', 'counted again, there are fewer'), ('other', 'something else, see the note')], max_length=16, verbose_name='why it departs from the plan')),
                        ('deviation_note', models.CharField(blank=True, max_length=300, verbose_name='note on that')),
                        ('donor_said_yes_at', models.DateTimeField(blank=True, null=True, verbose_name="the donor's yes")),
                        ('donor_consent', models.CharField(blank=True, choices=[('asked', 'asked'), ('standing', 'standing consent')], max_length=10, verbose_name='how the donor agreed')),
                        ('hospital_said_yes_at', models.DateTimeField(blank=True, null=True, verbose_name="the hospital's yes")),
                        ('ended_because', models.CharField(blank=True, max_length=300, verbose_name='why it ended')),
                        ('allocation', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='proposal', to='supplies.allocation', verbose_name='allocation')),
                    ],
                    options={
                        'verbose_name': 'proposal',
                        'verbose_name_plural': 'proposals',
                        'indexes': [
                            models.Index(condition=models.Q(('status__in', ['open', 'approved'])), fields=['expires_at'], name='proposal_pending'),
                            models.Index(fields=['-created_at', '-id'], name='proposal_newest'),
                            models.Index(condition=models.Q(('deviation', ''), _negated=True), fields=['-approved_at', '-id'], name='proposal_deviating'),
                        ],
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('status__in', ['open', 'approved', 'agreed', 'declined', 'expired', 'withdrawn', 'superseded'])), name='proposal_status_is_listed'),
                            models.CheckConstraint(condition=models.Q(('quantity', None), models.Q(('quantity__gte', 1), ('quantity__lte', 10000000000)), _connector='OR'), name='proposal_is_of_something'),
                            models.UniqueConstraint(condition=models.Q(('status__in', ['open', 'approved'])), fields=('need', 'offer'), name='proposal_pending_once_per_pair'),
                            models.CheckConstraint(condition=models.Q(models.Q(('status', 'agreed'), _negated=True), ('allocation__isnull', False), _connector='OR'), name='proposal_agreed_has_an_allocation'),
                            models.CheckConstraint(condition=models.Q(models.Q(('status', 'declined'), _negated=True), models.Q(('ended_because', ''), _negated=True), _connector='OR'), name='proposal_declined_says_why'),
                            models.CheckConstraint(condition=models.Q(models.Q(('status__in', ['approved', 'agreed']), _negated=True), ('approved_by__isnull', False), _connector='OR'), name='proposal_approved_by_somebody'),
                            models.CheckConstraint(condition=models.Q(('quantity_left_out__gte', 0), ('quantity_left_out__lt', models.F('quantity'))), name='proposal_approved_for_something'),
                            models.CheckConstraint(condition=models.Q(models.Q(('family_run', None), ('is_by_hand', True)), models.Q(('family_run__isnull', False), ('is_by_hand', False)), _connector='OR'), name='proposal_of_a_run_or_by_hand'),
                            models.CheckConstraint(condition=models.Q(models.Q(('is_by_hand', False), ('passed_over', 0), ('quantity_left_out', 0), ('deviation', '')), models.Q(models.Q(('is_by_hand', False), ('passed_over', 0), ('quantity_left_out', 0), _negated=True), ('deviation__in', ['hospital_asked', 'donor_asked', 'transport', 'goods_differ', 'recount', 'other'])), _connector='OR'), name='proposal_says_why_it_deviates'),
                            models.CheckConstraint(condition=models.Q(models.Q(('deviation', 'other'), _negated=True), models.Q(('deviation_note', ''), _negated=True), _connector='OR'), name='proposal_deviating_otherwise_has_a_note'),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name='Shortfall',
                    fields=[
                        ('need', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='shortfall', serialize=False, to='supplies.need', verbose_name='need')),
                        ('family_run', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='short', to='matching.familyrun', verbose_name='family of a run')),
                        ('missing', supplies.quantity.QuantityField(help_text="In the item's smallest counted unit.", validators=[django.core.validators.MinValueValidator(0), django.core.validators.MaxValueValidator(10000000000)], verbose_name='missing')),
                        ('cause', models.CharField(choices=[('no-compatible-offer', 'nobody offers goods that would do'), ('implausible-quantity', 'the quantity asked for is not plausible'), ('nothing-left', 'the goods that would do are promised already'), ('directed-elsewhere', 'the goods that would do were given for somebody else'), ('sender-not-accepted', 'the hospital does not take goods from these senders'), ('declined-before', 'the pair was declined before'), ('place-unknown', 'it is not known where the goods lie, or where they are to go'), ('no-transport', 'no transport of these goods keeps them cold or takes dangerous goods'), ('waits', 'they are not urgent and wait for a nearer or better fitting offer'), ('beyond-use', 'more is asked for than the hospital can use in two months; the rest is not matched'), ('too-far', 'the goods may not travel that far'), ('too-late', 'the goods would arrive too late'), ('expires', 'the goods would expire too soon after arrival'), ('below-lot', 'the quantities are below the least lot'), ('remainder-below-lot', 'what is left is below the least lot'), ('serves-more-urgent', 'all goods that would do serve needs that come before it'), ('given-to-others', 'the goods that would do went to others, in whole packs')], max_length=24, verbose_name='why')),
                        ('figure', models.BigIntegerField(blank=True, null=True, verbose_name='figure')),
                        ('as_of', models.DateTimeField(verbose_name='as of')),
                    ],
                    options={
                        'verbose_name': 'shortfall',
                        'verbose_name_plural': 'shortfalls',
                        'constraints': [
                            models.CheckConstraint(condition=models.Q(('missing', None), models.Q(('missing__gte', 1), ('missing__lte', 10000000000)), _connector='OR'), name='shortfall_is_of_something'),
                            models.CheckConstraint(condition=models.Q(('cause__in', ['no-compatible-offer', 'implausible-quantity', 'nothing-left', 'directed-elsewhere', 'sender-not-accepted', 'declined-before', 'place-unknown', 'no-transport', 'waits', 'beyond-use', 'too-far', 'too-late', 'expires', 'below-lot', 'remainder-below-lot', 'serves-more-urgent', 'given-to-others'])), name='shortfall_cause_is_listed'),
                        ],
                    },
                ),
            ],
        ),
        migrations.RunSQL(REFUSE, NOT_REFUSING),
        migrations.RunPython(bring_policies, migrations.RunPython.noop),
    ]
