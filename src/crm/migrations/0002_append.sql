-- The one way into the ledger.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- The lock under which positions are given out; it lasts until the end of the transaction. An advisory lock rather than
-- LOCK TABLE: an exclusive table lock and VACUUM keep each other waiting, which would stop every writer for as long as
-- an anti-wraparound vacuum of the events takes.
CREATE FUNCTION lock_ledger() RETURNS void LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM pg_advisory_xact_lock((1734700650::bigint << 32) | 'events'::regclass::oid::bigint);
END $$;

-- Where exactly this event already stands: then its command is one whose answer was lost on the way back.
CREATE FUNCTION already_at(id uuid, version bigint, topic text, state bytea) RETURNS bigint
LANGUAGE sql STABLE SET search_path FROM CURRENT AS $$
    SELECT e.position FROM events e WHERE e.originator_id = id AND e.originator_version = already_at.version
       AND e.topic = already_at.topic AND e.state = already_at.state
$$;

-- Appends a group of commands and gives a verdict on each, in order: a refused one leaves the others alone.
--
-- `commands` is an array of objects: events (how many of the arrays below are its own), id and version (of the answer),
-- and where they apply: expecting [id, version], key [member, key, index, keyed hash], claims [{kind, value, id, event,
-- released, detail}], keys [[subject, wrapped]]. Commands of one group have no aggregate, claim or key in common.
--
-- Verdicts: written, replayed (the answer given before), reused (the key, for another request), stale and conflict
-- (id, its version now), taken (kind, value, holder), rekey (the subject already has another sealing key).
CREATE FUNCTION append(
    commands jsonb, ids uuid[], versions bigint[], topics text[], states bytea[], customers uuid[], master_key text
) RETURNS TABLE (verdict text, on_id uuid, on_version bigint, at_position bigint, on_kind text, on_value text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    began     bigint;
    last      bigint;
    link      bytea;
    moment    timestamptz;
    command   record;
    claim     jsonb;
    sealing   jsonb;
    first     integer;
    final     integer := 0;
    actual    bigint;
    holder    uuid;
    known     bytea;
    earlier   idempotency_keys%ROWTYPE;
BEGIN
    PERFORM lock_ledger();
    SELECT e.position, e.chain, e.recorded_at INTO last, link, moment FROM events e ORDER BY e.position DESC LIMIT 1;
    IF last IS NULL THEN
        SELECT 0, uuid_send(m.ledger_id) INTO last, link FROM meta m;
    END IF;
    began := last;
    SELECT greatest(clock_timestamp(), moment, to_timestamp(0) + (a.last_value + 1) * interval '1 microsecond')
      INTO moment FROM answered_moment a;

    <<each_command>>
    FOR command IN SELECT * FROM jsonb_to_recordset(commands) AS c(
        events integer, id uuid, version bigint, expecting jsonb, key jsonb, claims jsonb, keys jsonb
    ) LOOP
        first := final + 1;
        final := final + command.events;
        on_id := command.id;
        on_version := command.version;
        on_kind := NULL;
        on_value := NULL;

        IF command.key IS NOT NULL THEN
            SELECT * INTO earlier FROM idempotency_keys k
             WHERE k.member = command.key->>0 AND k.key = command.key->>1 AND k.index = (command.key->>2)::integer
               AND k.created_at > moment - interval '7 days';
            IF FOUND THEN
                IF earlier.body = decode(command.key->>3, 'hex') THEN
                    verdict := 'replayed';
                    on_id := (earlier.outcome->>'id')::uuid;
                    on_version := (earlier.outcome->>'version')::bigint;
                    at_position := (earlier.outcome->>'position')::bigint;
                ELSE
                    verdict := 'reused';
                END IF;
                RETURN NEXT;
                CONTINUE each_command;
            END IF;
        END IF;

        IF command.expecting IS NOT NULL THEN
            SELECT coalesce(max(e.originator_version), 0) INTO actual FROM events e
             WHERE e.originator_id = (command.expecting->>0)::uuid;
            IF actual <> (command.expecting->>1)::bigint THEN
                at_position := already_at(ids[first], versions[first], topics[first], states[first]);
                IF at_position IS NOT NULL THEN
                    verdict := 'written';
                    at_position := at_position + final - first;
                ELSE
                    verdict := 'stale';
                    on_id := (command.expecting->>0)::uuid;
                    on_version := actual;
                END IF;
                RETURN NEXT;
                CONTINUE each_command;
            END IF;
        END IF;

        FOR i IN first .. final LOOP
            IF i > first AND ids[i] = ids[i - 1] THEN
                actual := versions[i - 1];
            ELSE
                SELECT coalesce(max(e.originator_version), 0) INTO actual FROM events e WHERE e.originator_id = ids[i];
            END IF;
            IF versions[i] <> actual + 1 THEN
                at_position := already_at(ids[first], versions[first], topics[first], states[first]);
                IF at_position IS NOT NULL THEN
                    verdict := 'written';
                    at_position := at_position + final - first;
                ELSE
                    verdict := 'conflict';
                    on_id := ids[i];
                    on_version := actual;
                END IF;
                RETURN NEXT;
                CONTINUE each_command;
            END IF;
        END LOOP;

        IF command.claims IS NOT NULL THEN
            FOR claim IN SELECT * FROM jsonb_array_elements(command.claims) LOOP
                CONTINUE WHEN claim ? 'released';
                SELECT c.aggregate_id INTO holder FROM claims c
                 WHERE c.kind = claim->>'kind' AND c.value = claim->>'value' AND c.aggregate_id <> (claim->>'id')::uuid;
                IF FOUND AND NOT command.claims @> jsonb_build_array(jsonb_build_object(
                       'kind', claim->'kind', 'value', claim->'value', 'id', holder, 'released', true)) THEN
                    verdict := 'taken';
                    on_id := holder;
                    on_kind := claim->>'kind';
                    on_value := claim->>'value';
                    RETURN NEXT;
                    CONTINUE each_command;
                END IF;
            END LOOP;
        END IF;

        IF command.keys IS NOT NULL THEN
            FOR sealing IN SELECT * FROM jsonb_array_elements(command.keys) LOOP
                SELECT coalesce(k.wrapped, '') INTO known FROM sealing_keys k WHERE k.subject = (sealing->>0)::uuid;
                IF FOUND AND known <> decode(sealing->>1, 'base64') THEN
                    verdict := 'rekey';
                    on_id := (sealing->>0)::uuid;
                    RETURN NEXT;
                    CONTINUE each_command;
                END IF;
            END LOOP;
            INSERT INTO sealing_keys (subject, wrapped, master)
            SELECT (k->>0)::uuid, decode(k->>1, 'base64'), master_key FROM jsonb_array_elements(command.keys) k
            ON CONFLICT DO NOTHING;
        END IF;

        FOR i IN first .. final LOOP
            last := last + 1;
            -- The row as COPY ... (FORMAT binary) sends it: each part after its length, NULL as length -1.
            link := sha256(link
                || '\x00000008' || int8send(last)
                || '\x00000010' || uuid_send(ids[i])
                || '\x00000008' || int8send(versions[i])
                || int4send(octet_length(topics[i])) || convert_to(topics[i], 'UTF8')
                || '\x00000008' || timestamptz_send(moment)
                || coalesce('\x00000010'::bytea || uuid_send(customers[i]), '\xffffffff')
                || int4send(octet_length(states[i])) || states[i]);
            INSERT INTO events VALUES (last, ids[i], versions[i], topics[i], states[i], moment, customers[i], link);
        END LOOP;

        IF command.claims IS NOT NULL THEN
            FOR claim IN SELECT * FROM jsonb_array_elements(command.claims) LOOP
                IF claim ? 'released' THEN
                    DELETE FROM claims c WHERE c.kind = claim->>'kind' AND c.value = claim->>'value'
                       AND c.aggregate_id = (claim->>'id')::uuid;
                ELSE
                    INSERT INTO claims AS c VALUES (claim->>'kind', claim->>'value', (claim->>'id')::uuid,
                        claim->>'detail', last - (final - first) + (claim->>'event')::integer)
                    ON CONFLICT (kind, value) DO UPDATE SET aggregate_id = excluded.aggregate_id,
                        detail = excluded.detail, position = excluded.position;
                END IF;
            END LOOP;
        END IF;

        verdict := 'written';
        at_position := last;
        IF command.key IS NOT NULL THEN
            INSERT INTO idempotency_keys AS k VALUES (command.key->>0, command.key->>1,
                (command.key->>2)::integer, decode(command.key->>3, 'hex'),
                jsonb_build_object('id', on_id, 'version', on_version, 'position', last), moment)
            ON CONFLICT (member, key, index) DO UPDATE SET body = excluded.body, outcome = excluded.outcome,
                created_at = excluded.created_at;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF last > began THEN
        PERFORM pg_notify(current_schema() || '_events', last::text);
    END IF;
END $$;

REVOKE ALL ON FUNCTION lock_ledger(), already_at(uuid, bigint, text, bytea),
    append(jsonb, uuid[], bigint[], text[], bytea[], uuid[], text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION append(jsonb, uuid[], bigint[], text[], bytea[], uuid[], text) TO genjin_app;
