-- Wrapping the keys of data subjects under another master key, a batch at a time.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Puts newly wrapped keys in the place of those that are still the ones that were read, and says how many those were.
CREATE FUNCTION rewrap_keys(whose uuid[], was bytea[], becomes bytea[], master_key text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    changed bigint;
BEGIN
    UPDATE sealing_keys k SET wrapped = n.becomes, master = master_key
      FROM unnest(whose, was, becomes) AS n(subject, was, becomes)
     WHERE k.subject = n.subject AND k.wrapped = n.was;
    GET DIAGNOSTICS changed = ROW_COUNT;
    RETURN changed;
END $$;

-- What was encrypted or hashed under a key that follows from the former master key is of no use any more; addresses are
-- hashed anew when the next member signs in.
CREATE FUNCTION forget_what_was_derived() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    DELETE FROM snapshots;
    UPDATE import_jobs SET report = NULL WHERE report IS NOT NULL;
    DELETE FROM member_addresses;
    UPDATE member_addresses_known SET position = 0;
    DELETE FROM sign_in_failures;
    DELETE FROM sign_in_places;
END $$;

REVOKE ALL ON FUNCTION rewrap_keys(uuid[], bytea[], bytea[], text), forget_what_was_derived() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION rewrap_keys(uuid[], bytea[], bytea[], text), forget_what_was_derived() TO genjin_app;
