
import django.contrib.postgres.fields
import django.db.models.deletion
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('supplies', '0022_fill_contact_lookups'),
    ]

    operations = [
        migrations.CreateModel(
            name='Erasure',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('kind', models.CharField(choices=[('account', 'an account, by its owner'), ('number', 'a person without an account, by her number')], max_length=10, verbose_name='what')),
                ('account', models.BigIntegerField(blank=True, null=True, verbose_name='account')),
                ('lookups', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=60), default=list, size=None, verbose_name='keyed hashes')),
                ('counts', models.JSONField(default=dict, verbose_name='what was erased')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='who')),
            ],
            options={
                'verbose_name': 'erasure',
                'verbose_name_plural': 'erasures',
                'indexes': [models.Index(fields=['at'], name='erasure_by_time')],
                'constraints': [models.CheckConstraint(condition=models.Q(('kind__in', ['account', 'number'])), name='erasure_kind_is_listed'), models.CheckConstraint(condition=models.Q(models.Q(('kind', 'account'), _negated=True), ('account__isnull', False), _connector='OR'), name='erasure_of_an_account_names_it')],
            },
        ),
        migrations.CreateModel(
            name='Reveal',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('contact_id', models.UUIDField(db_index=True, verbose_name='contact')),
                ('fields', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(choices=[('name', 'name'), ('phone', 'telephone'), ('email', 'e-mail')], max_length=5), size=None, verbose_name='what was shown')),
                ('ground', models.CharField(choices=[('own', "one's own"), ('desk', 'works at the desk'), ('match', 'the other side of an agreed match'), ('delivery', 'carries it, or waits for it'), ('reader', 'signed in')], max_length=10, verbose_name='as')),
                ('purpose', models.CharField(choices=[('verify', 'to verify the organisation'), ('ask_donor', 'to ask the donor about a match'), ('ask_hospital', 'to ask the hospital about a match'), ('deliver', 'to arrange a delivery'), ('question', 'to settle what is missing or damaged'), ('correct', 'to correct a post'), ('own', 'to see what one entered oneself')], max_length=12, verbose_name='for what')),
                ('subject', models.CharField(blank=True, max_length=40, verbose_name='about')),
                ('subject_id', models.CharField(blank=True, max_length=40, verbose_name='its id')),
                ('at', models.DateTimeField(verbose_name='when')),
                ('by', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='to whom')),
                ('on_behalf_of', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.organisation', verbose_name='on behalf of')),
                ('organisation', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='supplies.organisation', verbose_name='whose contact')),
                ('whose', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to=settings.AUTH_USER_MODEL, verbose_name='entered by')),
            ],
            options={
                'verbose_name': 'number shown',
                'verbose_name_plural': 'numbers shown',
                'indexes': [models.Index(fields=['by', 'at'], name='reveal_by_reader'), models.Index(fields=['organisation', '-at'], name='reveal_by_organisation'), models.Index(fields=['whose', '-at'], name='reveal_by_author'), models.Index(fields=['-at', '-id'], name='reveal_newest')],
                'constraints': [models.CheckConstraint(condition=models.Q(('purpose__in', ['verify', 'ask_donor', 'ask_hospital', 'deliver', 'question', 'correct', 'own'])), name='reveal_purpose_is_listed'), models.CheckConstraint(condition=models.Q(('ground__in', ['own', 'desk', 'match', 'delivery'])), name='reveal_ground_shows_something'), models.CheckConstraint(condition=models.Q(models.Q(('ground__in', ['match', 'delivery']), _negated=True), models.Q(models.Q(('subject', ''), _negated=True), models.Q(('subject_id', ''), _negated=True)), _connector='OR'), name='reveal_for_a_match_names_it'), models.CheckConstraint(condition=models.Q(('fields', []), _negated=True), name='reveal_shows_a_field')],
            },
        ),
    ]
