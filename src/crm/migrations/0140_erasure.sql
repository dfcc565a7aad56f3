-- Erasing persons: a key is destroyed in the transaction that records the erasure, and nothing older is read after it.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

ALTER TABLE meta ADD COLUMN erased_upto bigint NOT NULL DEFAULT 0, ADD COLUMN barred_epoch bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN meta.erased_upto IS 'The position of the last erasure: a read model that has not seen it is not read.';
COMMENT ON COLUMN meta.barred_epoch IS 'Read models that were begun in an earlier sealing epoch are not read at all.';

CREATE INDEX events_of_erasure ON events (position) WHERE topic IN ('customer.contact-erased', 'customer.erased');

-- Destroys the keys of these subjects; a subject without a key is remembered, so that none is ever made for it.
CREATE FUNCTION destroy_keys(whose uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    UPDATE meta SET sealing_epoch = sealing_epoch + 1;
    INSERT INTO sealing_keys AS k (subject, wrapped, master, destroyed_at)
    SELECT DISTINCT subject, NULL::bytea, '', clock_timestamp() FROM unnest(whose) w(subject)
    ON CONFLICT (subject) DO UPDATE SET wrapped = NULL, destroyed_at = excluded.destroyed_at
     WHERE k.wrapped IS NOT NULL;
    DELETE FROM snapshots;
    UPDATE projection_builds SET state = 'retired', retired_at = now() WHERE as_of IS NOT NULL AND state = 'serving';
    UPDATE import_jobs SET report = NULL WHERE report IS NOT NULL;
END $$;

CREATE FUNCTION erase_subjects() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM destroy_keys(ARRAY(
        SELECT subject::uuid FROM jsonb_array_elements_text(convert_from(NEW.state, 'UTF8')::jsonb -> 'subjects') subject));
    UPDATE meta SET erased_upto = greatest(erased_upto, NEW.position);
    RETURN NULL;
END $$;

CREATE TRIGGER events_erasure AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.topic IN ('customer.contact-erased', 'customer.erased')) EXECUTE FUNCTION erase_subjects();

-- The subjects of erasures whose keys are not destroyed: after older keys were put back.
CREATE FUNCTION erased_with_keys() RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT AS $$
    SELECT coalesce(array_agg(DISTINCT e.subject), '{}') FROM (
        SELECT s.subject::uuid FROM events, jsonb_array_elements_text(convert_from(state, 'UTF8')::jsonb -> 'subjects') s(subject)
         WHERE topic IN ('customer.contact-erased', 'customer.erased')) e
      WHERE NOT EXISTS (SELECT FROM sealing_keys k WHERE k.subject = e.subject AND k.wrapped IS NULL)
$$;

-- Destroys keys once more and says of which subjects. What was built while they were there is not read any more, since
-- the read models may not even know of the erasure.
CREATE FUNCTION erase_again(whose uuid[]) RETURNS uuid[]
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
    RETURN found;
END $$;

REVOKE ALL ON FUNCTION destroy_keys(uuid[]), erase_subjects(), erased_with_keys(), erase_again(uuid[]) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION erased_with_keys(), erase_again(uuid[]) TO genjin_app;
