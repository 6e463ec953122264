"""One hospital is one row: other names, credit codes, pairs that may be one, merges that can be undone, public lists."""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import supplies.organisations.names
import supplies.search
import uuid
from django.conf import settings
from django.db import migrations, models
from django.utils import timezone


# What is written to a row while it is merged goes to the row it was merged into. Who is merged holds the row against FOR
# SHARE, so that whoever posts for it at that moment waits, and then follows.
FOLLOWING = """
CREATE FUNCTION follows_the_merge() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    named text := to_jsonb(NEW) ->> TG_ARGV[0];
    kept uuid;
BEGIN
    WHILE named IS NOT NULL LOOP
        EXECUTE format('SELECT merged_into_id FROM %I WHERE id = $1 %s', TG_ARGV[1], TG_ARGV[2])
        INTO kept USING named::uuid;
        EXIT WHEN kept IS NULL;
        NEW := jsonb_populate_record(NEW, jsonb_build_object(TG_ARGV[0], kept));
        named := kept::text;
    END LOOP;
    RETURN NEW;
END
$$;
CREATE TRIGGER appeal_follows_the_merge BEFORE INSERT ON supplies_appeal
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('facility_id', 'supplies_facility', 'FOR SHARE');
CREATE TRIGGER facility_follows_the_merge BEFORE INSERT ON supplies_facility
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('organisation_id', 'supplies_organisation', 'FOR SHARE');
-- The needs it carries are locked by then, and a merge waits for those.
CREATE TRIGGER shipment_follows_the_merge BEFORE INSERT ON supplies_shipment
FOR EACH ROW EXECUTE FUNCTION follows_the_merge('consignee_id', 'supplies_facility', '');
"""
NOT_FOLLOWING = """
DROP TRIGGER shipment_follows_the_merge ON supplies_shipment;
DROP TRIGGER facility_follows_the_merge ON supplies_facility;
DROP TRIGGER appeal_follows_the_merge ON supplies_appeal;
DROP FUNCTION follows_the_merge();
"""


def propose_who_shares_a_code(apps, schema_editor):
    """From now on a code is one organisation's. The oldest keeps it; who shares it is proposed as the same, and so known."""
    organisations, pairs = apps.get_model("supplies", "Organisation").objects, apps.get_model("supplies", "DuplicatePair")
    shared = (
        organisations.exclude(credit_code="")
        .values("kind", "credit_code")
        .annotate(count=models.Count("pk"))
        .filter(count__gt=1)
    )
    for group in shared:
        rows = organisations.filter(kind=group["kind"], credit_code=group["credit_code"])
        first, *others = rows.order_by("created_at", "pk").values_list("pk", flat=True)
        for other in others:
            one, two = sorted([first, other])
            pairs.objects.create(
                one_id=one, other_id=two, score=100, reasons=["same-code"], proposed_at=timezone.now()
            )
        organisations.filter(pk__in=others).update(credit_code="")
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


def give_back_the_code(apps, schema_editor):
    pairs = apps.get_model("supplies", "DuplicatePair").objects.filter(reasons__contains=["same-code"])
    for pair in pairs.select_related("one", "other"):
        for row, partner in ((pair.one, pair.other), (pair.other, pair.one)):
            if not row.credit_code and partner.credit_code:
                row.credit_code = partner.credit_code
                row.save(update_fields=["credit_code"])
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE; SET CONSTRAINTS ALL DEFERRED")


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0033_imports_are_read_before_they_are_entered'),
    ]

    operations = [
        migrations.CreateModel(
            name='Alias',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('normal_name', models.CharField(db_index=True, editable=False, help_text='The name as the importer compares it.', max_length=200)),
                ('kind', models.CharField(choices=[('other', 'other name'), ('old', 'old name'), ('misspelt', 'misspelling')], default='other', max_length=8, verbose_name='kind')),
                ('source', models.CharField(blank=True, max_length=200, verbose_name='source')),
                ('at', models.DateTimeField(verbose_name='when')),
            ],
            options={
                'verbose_name': 'other name',
                'verbose_name_plural': 'other names',
            },
        ),
        migrations.CreateModel(
            name='DuplicateNeeds',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('proposed', 'proposed'), ('merged', 'merged'), ('kept_apart', 'kept apart')], default='proposed', max_length=10, verbose_name='status')),
                ('score', models.PositiveSmallIntegerField(help_text='Of 100. An order for those who decide, no decision.', verbose_name='likeness')),
                ('reasons', models.JSONField(default=list, verbose_name='why')),
                ('proposed_at', models.DateTimeField(verbose_name='proposed')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
            ],
            options={
                'verbose_name': 'pair of needs',
                'verbose_name_plural': 'pairs of needs',
            },
        ),
        migrations.CreateModel(
            name='DuplicatePair',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('status', models.CharField(choices=[('proposed', 'proposed'), ('merged', 'merged'), ('kept_apart', 'kept apart')], default='proposed', max_length=10, verbose_name='status')),
                ('score', models.PositiveSmallIntegerField(help_text='Of 100. An order for those who decide, no decision.', verbose_name='likeness')),
                ('reasons', models.JSONField(default=list, verbose_name='why')),
                ('proposed_at', models.DateTimeField(verbose_name='proposed')),
                ('decided_at', models.DateTimeField(blank=True, null=True, verbose_name='decided')),
            ],
            options={
                'verbose_name': 'pair of organisations',
                'verbose_name_plural': 'pairs of organisations',
            },
        ),
        migrations.CreateModel(
            name='ListedFacility',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('name', models.CharField(max_length=200, verbose_name='name')),
                ('normal_name', models.CharField(db_index=True, editable=False, help_text='The name as the importer compares it.', max_length=200)),
                ('kinds', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('designated', 'designated hospital'), ('fever_clinic', 'fever clinic')], max_length=12), size=None, verbose_name='listed as')),
                ('address', models.CharField(blank=True, max_length=300, verbose_name='address')),
                ('source_name', models.CharField(max_length=120, verbose_name='list')),
                ('source_url', models.URLField(blank=True, max_length=500, verbose_name='link to the list')),
                ('as_of', models.DateField(verbose_name='as of')),
                ('version', models.CharField(editable=False, help_text='SHA-256 of the file it was read from.', max_length=64, verbose_name='checksum of the list')),
                ('listed_since', models.DateField(help_text='The day of the first version that named it.', verbose_name='listed since')),
                ('gone_on', models.DateField(blank=True, help_text='The day of the version that left it out.', null=True, verbose_name='missing since')),
            ],
            options={
                'verbose_name': 'listed facility',
                'verbose_name_plural': 'listed facilities',
            },
        ),
        migrations.CreateModel(
            name='Merge',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('keeps_one', models.BooleanField(help_text='Which of the pair stays: the first, or the second.', verbose_name='keeps the first')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('undone_at', models.DateTimeField(blank=True, null=True, verbose_name='undone')),
            ],
            options={
                'verbose_name': 'merge',
                'verbose_name_plural': 'merges',
            },
        ),
        migrations.CreateModel(
            name='MovedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('table', models.CharField(help_text='As the journal names it: appeal, contact.', max_length=40, verbose_name='table')),
                ('row', models.CharField(max_length=40, verbose_name='row')),
                ('column', models.CharField(max_length=40, verbose_name='column')),
                ('before', models.JSONField(null=True, verbose_name='before')),
                ('after', models.JSONField(null=True, verbose_name='after')),
            ],
            options={
                'verbose_name': 'moved row',
                'verbose_name_plural': 'moved rows',
            },
        ),
        migrations.AddField(
            model_name='facility',
            name='merged_into',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='supplies.facility', verbose_name='merged into'),
        ),
        migrations.AddField(
            model_name='organisation',
            name='merged_into',
            field=models.ForeignKey(blank=True, editable=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merged', to='supplies.organisation', verbose_name='merged into'),
        ),
        migrations.AlterField(
            model_name='organisation',
            name='credit_code',
            field=models.CharField(blank=True, max_length=18, validators=[supplies.organisations.names.is_credit_code], verbose_name='unified social credit code'),
        ),
        migrations.AddConstraint(
            model_name='facility',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='facility_not_merged_into_itself'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('merged_into', models.F('id')), _negated=True), name='organisation_not_merged_into_itself'),
        ),
        migrations.AddField(
            model_name='alias',
            name='by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='alias',
            name='organisation',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='aliases', to='supplies.organisation', verbose_name='organisation'),
        ),
        migrations.AddField(
            model_name='duplicateneeds',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='duplicateneeds',
            name='one',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.need', verbose_name='one need'),
        ),
        migrations.AddField(
            model_name='duplicateneeds',
            name='other',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.need', verbose_name='the other need'),
        ),
        migrations.AddField(
            model_name='duplicateneeds',
            name='proposed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='duplicatepair',
            name='decided_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='decided by'),
        ),
        migrations.AddField(
            model_name='duplicatepair',
            name='one',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.organisation', verbose_name='one organisation'),
        ),
        migrations.AddField(
            model_name='duplicatepair',
            name='other',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='supplies.organisation', verbose_name='the other organisation'),
        ),
        migrations.AddField(
            model_name='duplicatepair',
            name='proposed_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='proposed by'),
        ),
        migrations.AddField(
            model_name='listedfacility',
            name='organisation',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='listings', to='supplies.organisation', verbose_name='registered here as'),
        ),
        migrations.AddField(
            model_name='listedfacility',
            name='region',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.region', verbose_name='region'),
        ),
        migrations.AddField(
            model_name='merge',
            name='by',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who'),
        ),
        migrations.AddField(
            model_name='merge',
            name='needs',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='supplies.duplicateneeds', verbose_name='pair of needs'),
        ),
        migrations.AddField(
            model_name='merge',
            name='pair',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='merges', to='supplies.duplicatepair', verbose_name='pair of organisations'),
        ),
        migrations.AddField(
            model_name='merge',
            name='undone_by',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='undone by'),
        ),
        migrations.AddField(
            model_name='movedrow',
            name='merge',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='moved', to='supplies.merge', verbose_name='merge'),
        ),
        migrations.AddIndex(
            model_name='alias',
            index=django.contrib.postgres.indexes.GinIndex(supplies.search.Bigrams(supplies.search.Plain('name')), name='alias_by_mention'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.UniqueConstraint(fields=('organisation', 'normal_name'), name='alias_once_per_organisation'),
        ),
        migrations.AddConstraint(
            model_name='alias',
            constraint=models.CheckConstraint(condition=models.Q(('kind__in', ['other', 'old', 'misspelt'])), name='alias_kind_is_listed'),
        ),
        migrations.AddIndex(
            model_name='duplicateneeds',
            index=models.Index(condition=models.Q(('status', 'proposed')), fields=['-score', 'proposed_at', 'id'], name='pair_of_needs_waiting'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'merged', 'kept_apart'])), name='pair_of_needs_status_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='pair_of_needs_is_in_order'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.UniqueConstraint(fields=('one', 'other'), name='pair_of_needs_once'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.CheckConstraint(condition=models.Q(('score__lte', 100)), name='pair_of_needs_score_of_a_hundred'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'merged'), _negated=True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='pair_of_needs_merged_by_another'),
        ),
        migrations.AddConstraint(
            model_name='duplicateneeds',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('status', 'proposed')), models.Q(models.Q(('status', 'proposed'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='pair_of_needs_decided_by_somebody'),
        ),
        migrations.AddIndex(
            model_name='duplicatepair',
            index=models.Index(condition=models.Q(('status', 'proposed')), fields=['-score', 'proposed_at', 'id'], name='pair_waiting'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.CheckConstraint(condition=models.Q(('status__in', ['proposed', 'merged', 'kept_apart'])), name='pair_status_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.CheckConstraint(condition=models.Q(('one__lt', models.F('other'))), name='pair_is_in_order'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.UniqueConstraint(fields=('one', 'other'), name='pair_once'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.CheckConstraint(condition=models.Q(('score__lte', 100)), name='pair_score_of_a_hundred'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'merged'), _negated=True), models.Q(('decided_by', models.F('proposed_by')), _negated=True), _connector='OR'), name='pair_merged_by_another'),
        ),
        migrations.AddConstraint(
            model_name='duplicatepair',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('decided_at', None), ('decided_by', None), ('status', 'proposed')), models.Q(models.Q(('status', 'proposed'), _negated=True), ('decided_at__isnull', False), ('decided_by__isnull', False)), _connector='OR'), name='pair_decided_by_somebody'),
        ),
        migrations.AddIndex(
            model_name='listedfacility',
            index=django.contrib.postgres.indexes.GinIndex(supplies.search.Bigrams(supplies.search.Plain('name')), name='listed_facility_by_mention'),
        ),
        migrations.AddIndex(
            model_name='listedfacility',
            index=models.Index(fields=['name', 'id'], name='listed_facility_by_name'),
        ),
        migrations.AddConstraint(
            model_name='listedfacility',
            constraint=models.UniqueConstraint(fields=('source_name', 'region', 'normal_name'), name='listed_facility_once_per_list'),
        ),
        migrations.AddConstraint(
            model_name='listedfacility',
            constraint=models.CheckConstraint(condition=models.Q(('kinds__contained_by', ['designated', 'fever_clinic']), models.Q(('kinds', []), _negated=True)), name='listed_facility_kinds_are_listed'),
        ),
        migrations.AddConstraint(
            model_name='listedfacility',
            constraint=models.CheckConstraint(condition=models.Q(('gone_on', None), ('gone_on__gte', models.F('listed_since')), _connector='OR'), name='listed_facility_is_gone_after_it_was_there'),
        ),
        migrations.AddIndex(
            model_name='merge',
            index=models.Index(fields=['-at', '-id'], name='merge_newest'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('needs__isnull', False), ('pair', None)), models.Q(('needs', None), ('pair__isnull', False)), _connector='OR'), name='merge_is_of_one_pair'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('pair',), name='merge_once_a_pair'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.UniqueConstraint(condition=models.Q(('undone_at', None)), fields=('needs',), name='merge_once_a_pair_of_needs'),
        ),
        migrations.AddConstraint(
            model_name='merge',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('undone_at', None), ('undone_by', None)), models.Q(('undone_at__isnull', False), ('undone_by__isnull', False)), _connector='OR'), name='merge_undone_by_somebody'),
        ),
        migrations.AddConstraint(
            model_name='movedrow',
            constraint=models.UniqueConstraint(fields=('merge', 'table', 'row', 'column'), name='moved_row_once_a_merge'),
        ),
        migrations.RunPython(propose_who_shares_a_code, give_back_the_code),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.UniqueConstraint(condition=models.Q(('merged_into', None), models.Q(('credit_code', ''), _negated=True)), fields=('kind', 'credit_code'), name='organisation_one_per_credit_code'),
        ),
        migrations.RunSQL(FOLLOWING, NOT_FOLLOWING),
    ]
