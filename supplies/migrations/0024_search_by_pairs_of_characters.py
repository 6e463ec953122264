"""The functions by which names are found: a text as it is compared, what it is indexed by, and what it is sought by."""

from django.db import migrations

# They call nothing of ours: index expressions are evaluated with an empty search path.
PLAIN = """
CREATE FUNCTION plain(text) RETURNS text LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN upper(normalize($1, NFKC))
"""
# Costly on purpose: where a row is compared without the index, the comparison itself is cheaper and goes first.
BIGRAMS = """
CREATE FUNCTION bigrams(text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE COST 200 AS $$
DECLARE
    signs text[] := string_to_array($1, NULL);
    pairs text[] := signs;
BEGIN
    FOR i IN 1 .. cardinality(signs) - 1 LOOP
        pairs := pairs || (signs[i] || signs[i + 1]);
    END LOOP;
    RETURN pairs;
END
$$
"""
# Just enough of them to cover the text: the planner takes each for a coincidence of its own, and would think 中心 rare
# if it were asked for 中, 心 and 中心.
SOUGHT = """
CREATE FUNCTION bigrams_sought(text) RETURNS text[] LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    pairs text[] := '{}';
BEGIN
    IF length($1) < 2 THEN
        RETURN string_to_array($1, NULL);
    END IF;
    FOR i IN 1 .. length($1) - 1 BY 2 LOOP
        pairs := pairs || substr($1, i, 2);
    END LOOP;
    RETURN CASE length($1) % 2 WHEN 0 THEN pairs ELSE pairs || right($1, 2) END;
END
$$
"""


class Migration(migrations.Migration):
    dependencies = [("supplies", "0023_reveals_and_erasures")]
    operations = [
        migrations.RunSQL(PLAIN, "DROP FUNCTION plain(text)"),
        migrations.RunSQL(BIGRAMS, "DROP FUNCTION bigrams(text)"),
        migrations.RunSQL(SOUGHT, "DROP FUNCTION bigrams_sought(text)"),
    ]
