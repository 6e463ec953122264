"""What a run found and proposed is evidence: the database itself refuses to rewrite it, whoever asks."""

from django.db import migrations

REFUSE = """
CREATE FUNCTION matching_stays_as_it_was() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% %: %', TG_TABLE_NAME, OLD.id, TG_ARGV[0] USING ERRCODE = 'restrict_violation';
END
$$;
"""
TRIGGERS = """
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
BACK = """
DROP TRIGGER proposal_is_kept ON matching_proposal;
DROP TRIGGER approval_stays_what_it_was ON matching_proposal;
DROP TRIGGER proposal_stays_what_it_was ON matching_proposal;
DROP TRIGGER family_run_stays_as_it_was ON matching_familyrun;
DROP TRIGGER run_stays_as_it_was ON matching_matchingrun;
DROP FUNCTION matching_stays_as_it_was();
"""


class Migration(migrations.Migration):
    dependencies = [("matching", "0004_runs_say_what_they_were_made_with")]

    operations = [migrations.RunSQL(REFUSE + TRIGGERS, BACK)]
