-- Questions about moments, counters, and the upkeep of the ledger's side tables.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The last position recorded at or before a moment: the same moment always gives the same answer. It waits for writers
-- in flight, and makes sure that nothing is recorded at or before that moment afterwards. NULL for a moment to come.
CREATE FUNCTION position_at(instant timestamptz) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    micros bigint;
    low    bigint := 0;
    high   bigint;
    middle bigint;
    latest timestamptz;
BEGIN
    SELECT e.position, e.recorded_at INTO high, latest FROM events e ORDER BY e.position DESC LIMIT 1;
    IF latest IS NULL OR instant >= latest THEN
        PERFORM lock_ledger();
        IF instant > clock_timestamp() THEN
            RETURN NULL;
        END IF;
        SELECT e.position, e.recorded_at INTO high, latest FROM events e ORDER BY e.position DESC LIMIT 1;
        IF latest IS NULL OR instant >= latest THEN
            micros := extract(epoch FROM instant) * 1000000;
            PERFORM setval('answered_moment', greatest(micros, a.last_value)) FROM answered_moment a
              WHERE micros > a.last_value;
            RETURN coalesce(high, 0);
        END IF;
    END IF;
    -- Positions are contiguous and times never fall, so the rest is a binary search: no index on times is needed.
    WHILE low < high LOOP
        middle := (low + high + 1) / 2;
        IF (SELECT e.recorded_at <= instant FROM events e WHERE e.position = middle) THEN
            low := middle;
        ELSE
            high := middle - 1;
        END IF;
    END LOOP;
    RETURN low;
END $$;

-- The position of the last event, once every writer in flight has finished.
CREATE FUNCTION settle() RETURNS bigint LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM lock_ledger();
    RETURN (SELECT coalesce(max(e.position), 0) FROM events e);
END $$;

-- The next number of a counter, from 1. Gaps are allowed, and the commit need not wait for the disk: whatever uses the
-- number is committed later, hence written to disk later.
CREATE FUNCTION next_number(counter text) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    number bigint;
BEGIN
    INSERT INTO counters AS c VALUES (counter, 1)
    ON CONFLICT (name) DO UPDATE SET value = c.value + 1 RETURNING c.value INTO number;
    RETURN number;
END $$;

-- Makes everything sealed for a data subject unreadable, for good, and says whether there was anything to destroy.
CREATE FUNCTION destroy_sealing_key(whose uuid) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    existed boolean;
BEGIN
    UPDATE meta SET sealing_epoch = sealing_epoch + 1;
    UPDATE sealing_keys k SET wrapped = NULL, destroyed_at = clock_timestamp()
     WHERE k.subject = whose AND k.wrapped IS NOT NULL;
    existed := FOUND;
    INSERT INTO sealing_keys (subject, wrapped, master, destroyed_at) VALUES (whose, NULL, '', clock_timestamp())
    ON CONFLICT DO NOTHING;
    DELETE FROM snapshots;
    RETURN existed;
END $$;

-- Keeps the state of a long aggregate, unless a key was destroyed since that state was read.
CREATE FUNCTION put_snapshot(id uuid, version bigint, at bigint, fingerprint text, state bytea, epoch bigint)
RETURNS boolean LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM 1 FROM meta m WHERE m.sealing_epoch = epoch FOR SHARE;
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    INSERT INTO snapshots AS s VALUES (id, version, at, fingerprint, state)
    ON CONFLICT (originator_id, originator_version) DO UPDATE
       SET fingerprint = excluded.fingerprint, state = excluded.state, taken_at = clock_timestamp();
    RETURN true;
END $$;

-- Removes answers older than seven days and says how many there were.
CREATE FUNCTION forget_idempotency_keys() RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    removed bigint;
BEGIN
    DELETE FROM idempotency_keys k WHERE k.created_at < clock_timestamp() - interval '7 days';
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
END $$;

REVOKE ALL ON FUNCTION position_at(timestamptz), settle(), next_number(text), destroy_sealing_key(uuid),
    put_snapshot(uuid, bigint, bigint, text, bytea, bigint), forget_idempotency_keys() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION position_at(timestamptz), settle(), next_number(text), destroy_sealing_key(uuid),
    put_snapshot(uuid, bigint, bigint, text, bytea, bigint), forget_idempotency_keys() TO genjin_app;
