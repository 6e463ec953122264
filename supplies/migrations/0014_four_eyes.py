"""Four eyes, held by the database. On the long tables the constraint looks at new rows first, at the old ones in 0015."""

import datetime

import django.db.models.expressions
from django.contrib.postgres.operations import AddConstraintNotValid
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("supplies", "0013_verified_before")]

    operations = [
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('status', 'verified'), _negated=True), models.Q(('recheck_on__isnull', False), ('verified_on__isnull', False), models.Q(('by_source', True), models.Q(('seconded_by__isnull', False), ('verified_by__isnull', False)), _connector='OR')), _connector='OR'), name='organisation_verified_by_two_or_by_its_source'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('verified_by', models.F('seconded_by')), _negated=True), name='organisation_verified_by_two_people'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('verified_by', models.F('registered_by')), _negated=True), models.Q(('seconded_by', models.F('registered_by')), _negated=True)), name='organisation_not_verified_by_who_registered_it'),
        ),
        migrations.AddConstraint(
            model_name='organisation',
            constraint=models.CheckConstraint(condition=models.Q(('recheck_on', None), models.Q(('recheck_on__gt', models.F('verified_on')), ('recheck_on__lte', django.db.models.expressions.CombinedExpression(models.F('verified_on'), '+', models.Value(datetime.timedelta(days=366))))), _connector='OR'), name='organisation_checked_again_within_a_year'),
        ),
        migrations.AddConstraint(
            model_name='verification',
            constraint=models.CheckConstraint(condition=models.Q(('verdict__in', ['verified', 'refused'])), name='verification_verdict_is_listed'),
        ),
        migrations.AddConstraint(
            model_name='verification',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('motive', ''), _negated=True), models.Q(('public_note', ''), _negated=True)), name='verification_says_why_and_how'),
        ),
        migrations.AddConstraint(
            model_name='verification',
            constraint=models.UniqueConstraint(condition=models.Q(('round__gt', 0), ('verdict', 'verified')), fields=('organisation', 'round', 'by'), name='verification_one_yes_a_person_and_round'),
        ),
        AddConstraintNotValid(
            model_name='appeal',
            constraint=models.CheckConstraint(condition=models.Q(('moderated_by', models.F('posted_by')), _negated=True), name='appeal_moderated_by_another'),
        ),
        AddConstraintNotValid(
            model_name='donation',
            constraint=models.CheckConstraint(condition=models.Q(('moderated_by', models.F('posted_by')), _negated=True), name='donation_moderated_by_another'),
        ),
    ]
