-- The ledger: what happened, in the order in which it was committed. Nothing in it is ever changed or removed.

-- Functions keep the search path of this migration. Temporary tables come last in it, so that no caller can put one
-- in the place of a table of ours.
SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

CREATE TABLE events (
    position           bigint      NOT NULL PRIMARY KEY,
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL,
    topic              text        NOT NULL,
    state              bytea       NOT NULL,
    recorded_at        timestamptz NOT NULL,
    customer_id        uuid,
    chain              bytea       NOT NULL,
    CONSTRAINT events_originator UNIQUE (originator_id, originator_version)
);
CREATE INDEX events_customer ON events (customer_id, position) WHERE customer_id IS NOT NULL;
CREATE INDEX events_of_workspace ON events (position) WHERE customer_id IS NULL;
CREATE INDEX events_milestone ON events (originator_id, originator_version) WHERE originator_version % 500 = 0;

COMMENT ON TABLE events IS 'What happened: positions are contiguous and in the order of commits.';
COMMENT ON COLUMN events.recorded_at IS 'Set by the database under the lock of the ledger; never earlier than the one before.';
COMMENT ON COLUMN events.customer_id IS 'The customer that the event belonged to when it was recorded.';
COMMENT ON COLUMN events.chain IS 'SHA-256 of the previous chain and of this row; see docs/events.md.';

CREATE VIEW events_json AS
SELECT position, originator_id, originator_version, topic, convert_from(state, 'UTF8')::jsonb AS state,
       recorded_at, customer_id, encode(chain, 'hex') AS chain
  FROM events;

CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % is refused', TG_OP
        USING ERRCODE = 'restrict_violation', HINT = 'Record a correcting event instead.';
END $$;

CREATE TRIGGER events_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON events
    FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
ALTER TABLE events ENABLE ALWAYS TRIGGER events_append_only;

-- What is known of the ledger as a whole: one row.
CREATE TABLE meta (
    only_row      boolean     NOT NULL PRIMARY KEY DEFAULT true CHECK (only_row),
    ledger_id     uuid        NOT NULL DEFAULT gen_random_uuid(),
    sealing_epoch bigint      NOT NULL DEFAULT 0,
    created_at    timestamptz NOT NULL DEFAULT clock_timestamp()
);
INSERT INTO meta DEFAULT VALUES;
COMMENT ON COLUMN meta.ledger_id IS 'Random; the chain of hashes begins with it.';
COMMENT ON COLUMN meta.sealing_epoch IS 'Counts destroyed sealing keys, so that every process notices and forgets them.';

-- The latest moment, in microseconds since 1970, for which a position was answered: no event is recorded at it or before
-- it any more, even when the clock of the server is set back. A sequence, since it must outlive a rolled back query.
CREATE SEQUENCE answered_moment AS bigint MINVALUE 0 START 0;

-- Names that one aggregate may hold at a time: codes, numbers, natural keys of imported rows.
CREATE TABLE claims (
    kind         text   NOT NULL,
    value        text   NOT NULL,
    aggregate_id uuid   NOT NULL,
    detail       text,
    position     bigint NOT NULL,
    PRIMARY KEY (kind, value)
);
CREATE INDEX claims_aggregate ON claims (aggregate_id);

-- Keys of data subjects, wrapped by the master key. Destroying one makes what it sealed unreadable; leave this table out
-- of backups that are kept longer than an erasure may take.
CREATE TABLE sealing_keys (
    subject      uuid        NOT NULL PRIMARY KEY,
    wrapped      bytea,
    master       text        NOT NULL,
    created_at   timestamptz NOT NULL DEFAULT clock_timestamp(),
    destroyed_at timestamptz,
    CHECK ((wrapped IS NULL) = (destroyed_at IS NOT NULL))
);

-- Answers already given, so that a repeated request gets the same one; kept for seven days at least, until they are removed.
CREATE TABLE idempotency_keys (
    member     text        NOT NULL COLLATE "C",
    key        text        NOT NULL COLLATE "C",
    index      integer     NOT NULL,
    body       bytea       NOT NULL,
    id         uuid        NOT NULL,
    version    bigint      NOT NULL,
    position   bigint      NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (member, key, index)
);
CREATE INDEX idempotency_keys_age ON idempotency_keys USING brin (created_at);
COMMENT ON COLUMN idempotency_keys.body IS 'Keyed hash of the request, never the request itself.';

CREATE TABLE counters (
    name  text   NOT NULL PRIMARY KEY,
    value bigint NOT NULL
);

-- States of long aggregates, encrypted; a cache that may be emptied at any time and belongs in no backup.
CREATE TABLE snapshots (
    originator_id      uuid        NOT NULL,
    originator_version bigint      NOT NULL,
    position           bigint      NOT NULL,
    fingerprint        text        NOT NULL,
    state              bytea       NOT NULL,
    taken_at           timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (originator_id, originator_version)
);

GRANT SELECT ON events, events_json, meta, claims TO genjin_app, genjin_reader;
GRANT SELECT ON sealing_keys, idempotency_keys, snapshots TO genjin_app;
