-- The function that writes, once more: what every group is asked for is one statement under the lock that all wait for.
-- Its signature and who may call it stay as they are.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

-- Appends a group of commands and gives a verdict on each, in order: a refused one leaves the others alone.
--
-- What must be known is asked for the whole group at once, the loop only decides, and all that was accepted is written
-- at once, since a statement costs more than a row. That is sound because nobody else writes meanwhile, and because no
-- command of a group writes what another one writes or reads: aggregates, claims, idempotency keys, data subjects.
--
-- By event, command after command: ids, versions, topics, states, customers. By command: counts (how many events are
-- its own), answer_ids and answer_versions; members, keys, indexes and bodies (an idempotency key, with the keyed hash
-- of its request); credential_kinds and credential_digests. By condition, each with the number of its command from 1:
-- expected_ids and expected_versions (the read set: aggregates that must be at this version, 0 where there must be
-- none); unnamed_ids and unnamed_since (ids that no event after a position may name). By subject whose key sealed an
-- event: subjects, sealed_by (the command), and the wrapped key where the command brings a new one. Besides: `claimed`,
-- an array of {command, event, kind, value, id, released, detail, replaces} in order, commands from 1, events of each
-- from 0. What no command has is NULL as a whole.
--
-- A claim without a detail is held by one aggregate, which may state it again. One with a detail is compare-and-set: it
-- needs the name free, whoever holds it, or says by `replaces` which detail it puts its own in the place of.
--
-- Verdicts: written, replayed (the answer given before), reused (the key, for another request), ended (the credential),
-- conflict (id, its version now), taken (kind, value, holder), replaced (kind, value: the detail is not the one that
-- was to be replaced), rekey (the subject has another sealing key, or none).
--
-- Plans are made once for a connection, since planning costs more than running; rows are looked up one by one, in
-- subqueries that no plan can turn into a join over a whole table, so that these plans stay good as the tables grow.
CREATE OR REPLACE FUNCTION append(
    ids uuid[], versions bigint[], topics text[], states bytea[], customers uuid[],
    counts bigint[], answer_ids uuid[], answer_versions bigint[],
    expected_ids uuid[], expected_versions bigint[], expected_by bigint[],
    unnamed_ids uuid[], unnamed_since bigint[], unnamed_by bigint[],
    credential_kinds text[], credential_digests bytea[],
    members text[], keys text[], indexes bigint[], bodies bytea[],
    claimed jsonb, subjects uuid[], wrapped_keys bytea[], sealed_by bigint[], master_key text
) RETURNS TABLE (verdict text, on_id uuid, on_version bigint, at_position bigint, on_kind text, on_value text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan AS $$
DECLARE
    began     bigint;
    last      bigint;
    link      bytea;
    moment    timestamptz;
    missed    record;
    released  record;
    first     integer;
    final     integer := 0;
    wrong     integer;
    -- By event: the version before it; where it is written, if it is, and its link of the chain.
    before    bigint[];
    positions bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(ids)]);
    links     bytea[]  := array_fill(NULL::bytea, ARRAY[cardinality(ids)]);
    -- By command: what its key was used for, and what was answered; where it ends, if it is written.
    given     idempotency_keys[];
    ends      bigint[] := array_fill(NULL::bigint, ARRAY[cardinality(counts)]);
    -- By command, for the few that are refused for it: the first condition that does not hold, with the version there
    -- is, and whether the credential has ended.
    changed          uuid[];
    changed_versions bigint[];
    ended            boolean[];
    -- By the number of a command, for the few that are refused for it.
    taken     jsonb;
    rekeyed   jsonb;
    is_any_key_new boolean;
BEGIN
    PERFORM lock_ledger();

    -- In one statement what every group is asked for: the head; the moment; the version before each event (one that
    -- follows another of its aggregate comes after that, all others after what is in the ledger); whether a key is new,
    -- or one that sealed an event is not stored, which is rare; and what idempotency keys were used for before, with the
    -- answers, since old ones are forgotten without this lock.
    SELECT e.position, e.chain,
           greatest(clock_timestamp(), e.recorded_at, to_timestamp(0) + (a.last_value + 1) * interval '1 microsecond'),
           ARRAY(SELECT CASE WHEN ids[i] = ids[i - 1] THEN versions[i - 1] ELSE (
                     SELECT coalesce(max(e.originator_version), 0) FROM events e WHERE e.originator_id = ids[i]) END
                   FROM generate_series(1, cardinality(ids)) i ORDER BY i),
           wrapped_keys IS NOT NULL OR (
               SELECT NOT bool_and(coalesce(
                          (SELECT k.wrapped IS NOT NULL FROM sealing_keys k WHERE k.subject = subjects[s]), false))
                 FROM generate_series(1, cardinality(subjects)) s),
           CASE WHEN keys IS NOT NULL THEN ARRAY(
               SELECT (SELECT k FROM idempotency_keys k
                        WHERE k.member = members[c] AND k.key = keys[c] AND k.index = indexes[c])
                 FROM generate_series(1, cardinality(counts)) c ORDER BY c) END
      INTO last, link, moment, before, is_any_key_new, given
      FROM answered_moment a LEFT JOIN LATERAL (SELECT * FROM events ORDER BY position DESC LIMIT 1) e ON true;
    IF last IS NULL THEN
        SELECT 0, uuid_send(m.ledger_id) INTO last, link FROM meta m;
    END IF;
    began := last;

    IF unnamed_ids IS NOT NULL THEN
        FOR missed IN
            SELECT unnamed_by[x] AS command, unnamed_ids[x] AS id FROM generate_series(1, cardinality(unnamed_ids)) x
             WHERE is_named_since(unnamed_ids[x], unnamed_since[x])
        LOOP
            changed[missed.command] := missed.id;
            changed_versions[missed.command] := 0;
        END LOOP;
    END IF;

    IF expected_ids IS NOT NULL THEN
        FOR missed IN
            SELECT expected_by[x] AS command, expected_ids[x] AS id, a.version
              FROM generate_series(1, cardinality(expected_ids)) x
              CROSS JOIN LATERAL (SELECT coalesce(max(e.originator_version), 0) AS version
                                    FROM events e WHERE e.originator_id = expected_ids[x]) a
             WHERE a.version <> expected_versions[x] ORDER BY x DESC
        LOOP
            changed[missed.command] := missed.id;
            changed_versions[missed.command] := missed.version;
        END LOOP;
    END IF;

    IF credential_digests IS NOT NULL THEN
        ended := ARRAY(
            SELECT credential_digests[c] IS NOT NULL AND NOT credential_holds(credential_kinds[c], credential_digests[c])
              FROM generate_series(1, cardinality(counts)) c ORDER BY c);
    END IF;

    IF claimed IS NOT NULL THEN
        -- The first claim of each command that does not fit what is held, and that is not given up in the same command.
        SELECT jsonb_object_agg(t.command, to_jsonb(t)) INTO taken FROM (
            SELECT DISTINCT ON (s.command) s.command, s.kind, s.value, s.replaces, h.aggregate_id AS holder
              FROM ROWS FROM (jsonb_to_recordset(claimed) AS (
                       command integer, kind text, value text, id uuid, released boolean, detail text, replaces text
                   )) WITH ORDINALITY AS s(command, kind, value, id, released, detail, replaces, number)
              LEFT JOIN LATERAL (SELECT * FROM claims h WHERE h.kind = s.kind AND h.value = s.value LIMIT 1) h ON true
             WHERE s.released IS NOT true
               AND CASE WHEN s.replaces IS NOT NULL THEN h.detail IS DISTINCT FROM s.replaces
                        WHEN s.detail IS NOT NULL THEN h.aggregate_id IS NOT NULL
                        ELSE h.aggregate_id <> s.id END
               AND (h.aggregate_id IS NULL OR NOT claimed @> jsonb_build_array(jsonb_build_object(
                       'command', s.command, 'kind', s.kind, 'value', s.value, 'id', h.aggregate_id, 'released', true)))
             ORDER BY s.command, s.number) t;
    END IF;

    IF is_any_key_new THEN
        SELECT jsonb_object_agg(r.command, r.subject) INTO rekeyed FROM (
            SELECT DISTINCT ON (sealed_by[s]) sealed_by[s] AS command, subjects[s] AS subject
              FROM generate_series(1, cardinality(subjects)) s
              LEFT JOIN LATERAL (SELECT k.subject, k.wrapped FROM sealing_keys k
                                  WHERE k.subject = subjects[s] LIMIT 1) k ON true
             WHERE CASE WHEN wrapped_keys[s] IS NULL THEN k.wrapped IS NULL
                        ELSE k.subject IS NOT NULL AND k.wrapped IS DISTINCT FROM wrapped_keys[s] END
             ORDER BY sealed_by[s], s) r;
    END IF;

    FOR c IN 1 .. cardinality(counts) LOOP
        first := final + 1;
        final := final + counts[c];
        wrong := NULL;
        FOR i IN first .. final LOOP
            IF versions[i] <> before[i] + 1 THEN
                wrong := i;
                EXIT;
            END IF;
        END LOOP;
        on_id := answer_ids[c];
        on_version := answer_versions[c];
        at_position := NULL;
        on_kind := NULL;
        on_value := NULL;

        IF ended[c] OR changed[c] IS NOT NULL OR wrong IS NOT NULL THEN
            at_position := already_at(ids[first], versions[first], topics[first], states[first]) + final - first;
        END IF;

        IF ended[c] AND at_position IS NULL THEN
            verdict := 'ended';
        ELSIF (given[c]).body = bodies[c] THEN
            verdict := 'replayed';
            on_id := (given[c]).id;
            on_version := (given[c]).version;
            at_position := (given[c]).position;
        ELSIF (given[c]).body IS NOT NULL THEN
            verdict := 'reused';
        ELSIF at_position IS NOT NULL THEN
            verdict := 'written';
        ELSIF changed[c] IS NOT NULL THEN
            verdict := 'conflict';
            on_id := changed[c];
            on_version := changed_versions[c];
        ELSIF wrong IS NOT NULL THEN
            verdict := 'conflict';
            on_id := ids[wrong];
            on_version := before[wrong];
        ELSIF taken ? c::text THEN
            verdict := CASE WHEN taken->c::text->>'replaces' IS NULL THEN 'taken' ELSE 'replaced' END;
            on_id := coalesce((taken->c::text->>'holder')::uuid, on_id);
            on_kind := taken->c::text->>'kind';
            on_value := taken->c::text->>'value';
        ELSIF rekeyed ? c::text THEN
            verdict := 'rekey';
            on_id := (rekeyed->>c::text)::uuid;
        ELSE
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
                positions[i] := last;
                links[i] := link;
            END LOOP;
            verdict := 'written';
            at_position := last;
            ends[c] := last;
        END IF;
        RETURN NEXT;
    END LOOP;

    IF last > began THEN
        INSERT INTO events
        SELECT positions[i], ids[i], versions[i], topics[i], states[i], moment, customers[i], links[i]
          FROM generate_series(1, cardinality(ids)) i WHERE positions[i] IS NOT NULL;
        PERFORM pg_notify(current_schema() || '_events', last::text);
    END IF;

    IF wrapped_keys IS NOT NULL THEN
        INSERT INTO sealing_keys (subject, wrapped, master)
        SELECT subjects[s], wrapped_keys[s], master_key FROM generate_series(1, cardinality(subjects)) s
         WHERE wrapped_keys[s] IS NOT NULL AND ends[sealed_by[s]] IS NOT NULL
        ON CONFLICT DO NOTHING;
    END IF;

    IF claimed IS NOT NULL THEN
        FOR released IN SELECT s.* FROM jsonb_to_recordset(claimed) AS s(
            command integer, kind text, value text, id uuid, released boolean
        ) WHERE s.released AND ends[s.command] IS NOT NULL LOOP
            DELETE FROM claims h
             WHERE h.kind = released.kind AND h.value = released.value AND h.aggregate_id = released.id;
        END LOOP;
        -- Of what an aggregate does with a name in one command, the last counts.
        INSERT INTO claims
        SELECT s.kind, s.value, s.id, s.detail, ends[s.command] - counts[s.command] + s.event + 1 FROM (
            SELECT DISTINCT ON (kind, value, id) *
              FROM ROWS FROM (jsonb_to_recordset(claimed) AS (
                       command integer, event integer, kind text, value text, id uuid, released boolean, detail text
                   )) WITH ORDINALITY AS a(command, event, kind, value, id, released, detail, number)
             ORDER BY kind, value, id, number DESC) s
         WHERE s.released IS NOT true AND ends[s.command] IS NOT NULL
        ON CONFLICT (kind, value) DO UPDATE SET aggregate_id = excluded.aggregate_id, detail = excluded.detail,
            position = excluded.position;
    END IF;

    IF keys IS NOT NULL THEN
        INSERT INTO idempotency_keys
        SELECT members[c], keys[c], indexes[c], bodies[c], answer_ids[c], answer_versions[c], ends[c], moment
          FROM generate_series(1, cardinality(counts)) c WHERE keys[c] IS NOT NULL AND ends[c] IS NOT NULL;
    END IF;
END $$;
