-- The bookkeeping of read models: which are built, which one is asked, who keeps it up to date, and what is to be built.

CREATE TABLE projection_builds (
    schema_name text PRIMARY KEY,
    projection text NOT NULL,
    version integer NOT NULL,
    as_of bigint,                          -- a copy as of this position; null for one that is kept up to date
    state text NOT NULL CHECK (state IN ('building', 'ready', 'serving', 'retired')),
    position bigint NOT NULL DEFAULT 0,    -- every event up to here is in its rows
    bytes bigint,
    sealing_epoch bigint NOT NULL DEFAULT 0,  -- of meta, when it was begun: what was erased later may still be readable in it
    made_at timestamptz NOT NULL DEFAULT now(),
    used_at timestamptz NOT NULL DEFAULT now(),
    retired_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE projection_builds IS 'Built read models: a schema each, with its position.';
CREATE UNIQUE INDEX ON projection_builds (projection, version, as_of) WHERE as_of IS NOT NULL AND state = 'serving';

CREATE TABLE projections (
    projection text NOT NULL,
    version integer NOT NULL,
    live text REFERENCES projection_builds,
    leader text,
    leader_lock bigint,
    led_since timestamptz,
    failed_position bigint,
    failed_topic text,
    failed_aggregate uuid,
    failed_error text,
    failed_at timestamptz,
    PRIMARY KEY (projection, version)
) WITH (fillfactor = 50);
COMMENT ON TABLE projections IS 'The read model that is asked, of each version in use, and what stopped it if anything did.';

CREATE TABLE projection_jobs (
    job_id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
    kind text NOT NULL CHECK (kind IN ('rebuild', 'as-of')),
    projection text NOT NULL,
    version integer NOT NULL,
    as_of bigint,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    phase text,
    cancel_requested boolean NOT NULL DEFAULT false,
    events_done bigint NOT NULL DEFAULT 0,
    events_total bigint,
    events_per_second integer,
    seconds_left integer,
    schema_name text,
    worker text,
    attempts integer NOT NULL DEFAULT 0,
    error text,
    requested_at timestamptz NOT NULL DEFAULT now(),
    started_at timestamptz,
    finished_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE projection_jobs IS 'What workers are to build: read models anew, and copies as of a moment.';
CREATE UNIQUE INDEX projection_jobs_once ON projection_jobs (kind, projection, version, coalesce(as_of, -1))
    WHERE state IN ('queued', 'running');
CREATE INDEX ON projection_jobs (finished_at) WHERE finished_at IS NOT NULL;

GRANT SELECT, INSERT, UPDATE, DELETE ON projection_builds, projections, projection_jobs TO genjin_app;
GRANT SELECT ON projection_builds, projections, projection_jobs TO genjin_reader;

-- Moves a built read model on, in the transaction that writes its rows: from the position that the rows were read at, or
-- not at all. So two runners can never apply the same events twice.
CREATE FUNCTION move_projection(build text, was bigint, becomes bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE projection_builds SET position = becomes
     WHERE schema_name = build AND position = was AND state <> 'retired';
    IF NOT FOUND THEN
        RAISE EXCEPTION '% is not at position % any more', build, was USING ERRCODE = 'serialization_failure';
    END IF;
END $$;

-- What those see of telephone numbers and addresses who may not see them whole; policy.masking does the same.
CREATE FUNCTION masked(shown text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE
        WHEN shown IS NULL OR shown = '' THEN shown
        WHEN length(shown) >= 11 THEN left(shown, 3) || '****' || right(shown, 4)
        WHEN length(shown) >= 7 THEN left(shown, 2) || '****'
        ELSE '****'
    END
$$;
