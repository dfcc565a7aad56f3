-- Erasing members: their keys go like those of customers, and with these everything by which they signed in.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

DROP INDEX events_of_erasure;
CREATE INDEX events_of_erasure ON events (position)
    WHERE topic IN ('customer.contact-erased', 'customer.erased', 'member.erased');

-- Forgets what these members signed in with and what their tokens were called; of other subjects there is nothing.
CREATE FUNCTION forget_members(whose uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM member_addresses WHERE member_id = ANY(whose);
    DELETE FROM passwords WHERE member_id = ANY(whose);
    DELETE FROM sessions WHERE member_id = ANY(whose);
    DELETE FROM one_time_codes WHERE member_id = ANY(whose);
    DELETE FROM sign_in_places WHERE member_id = ANY(whose);
    UPDATE tokens SET name = '', revoked_at = coalesce(revoked_at, clock_timestamp())
     WHERE member_id = ANY(whose) AND (name <> '' OR revoked_at IS NULL);
END $$;

CREATE OR REPLACE FUNCTION erase_subjects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM destroy_keys(ARRAY(
        SELECT subject::uuid FROM jsonb_array_elements_text(convert_from(NEW.state, 'UTF8')::jsonb -> 'subjects') subject));
    UPDATE meta SET erased_upto = greatest(erased_upto, NEW.position);
    IF NEW.topic = 'member.erased' THEN
        PERFORM forget_members(ARRAY[NEW.originator_id]);
    END IF;
    RETURN NULL;
END $$;

CREATE OR REPLACE TRIGGER events_erasure AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.topic IN ('customer.contact-erased', 'customer.erased', 'member.erased'))
    EXECUTE FUNCTION erase_subjects();

CREATE OR REPLACE FUNCTION erased_with_keys() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(array_agg(DISTINCT e.subject), '{}') FROM (
        SELECT s.subject::uuid FROM events, jsonb_array_elements_text(convert_from(state, 'UTF8')::jsonb -> 'subjects') s(subject)
         WHERE topic IN ('customer.contact-erased', 'customer.erased', 'member.erased')) e
      WHERE NOT EXISTS (SELECT FROM sealing_keys k WHERE k.subject = e.subject AND k.wrapped IS NULL)
$$;

-- Members are forgotten also where their keys did not come back: a backup holds tokens and passwords, and no keys.
CREATE OR REPLACE FUNCTION erase_again(whose uuid[]) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    found uuid[];
BEGIN
    PERFORM lock_ledger();
    found := ARRAY(SELECT DISTINCT w.subject FROM unnest(whose) w(subject)
                    WHERE NOT EXISTS (SELECT FROM sealing_keys k WHERE k.subject = w.subject AND k.wrapped IS NULL));
    IF cardinality(found) > 0 THEN
        PERFORM destroy_keys(found);
        UPDATE meta SET barred_epoch = sealing_epoch;
    END IF;
    PERFORM forget_members(whose);
    RETURN found;
END $$;

REVOKE ALL ON FUNCTION forget_members(uuid[]) FROM PUBLIC;
