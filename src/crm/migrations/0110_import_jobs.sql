-- Imports that were asked for over HTTP: how far each is, what came of it, and the files until it is over.

CREATE TABLE import_jobs (
    job_id uuid PRIMARY KEY,
    profile text NOT NULL,
    is_rehearsal boolean NOT NULL,
    encoding text,
    files text[] NOT NULL,
    bytes bigint NOT NULL,
    asked_by text NOT NULL,
    state text NOT NULL DEFAULT 'queued' CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    cancel_requested boolean NOT NULL DEFAULT false,
    error text,                            -- the code of what ended it
    attempts integer NOT NULL DEFAULT 0,
    worker text,
    seen_at timestamptz,                   -- the worker's last sign of life
    rows_done bigint NOT NULL DEFAULT 0,
    rows_total bigint,
    batch_id uuid,
    position bigint,
    refused_rows bigint,
    counts jsonb,                          -- a record's name and what became of its rows: numbers only
    report bytea,                          -- encrypted: refused rows as they were written, which may be about people
    sealing_epoch bigint,                  -- of meta, when the report was kept: an erasure since then ends it
    requested_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    started_at timestamptz,
    finished_at timestamptz
) WITH (fillfactor = 50);
COMMENT ON TABLE import_jobs IS 'Imports asked for over HTTP, for workers to do.';
CREATE INDEX ON import_jobs (requested_at) WHERE state IN ('queued', 'running');
CREATE INDEX ON import_jobs (finished_at) WHERE finished_at IS NOT NULL;

CREATE TABLE import_uploads (
    job_id uuid NOT NULL REFERENCES import_jobs ON DELETE CASCADE,
    file text NOT NULL,
    part integer NOT NULL,
    content bytea NOT NULL,                -- encrypted
    PRIMARY KEY (job_id, file, part)
);
COMMENT ON TABLE import_uploads IS 'The files of imports that are not over yet, in parts.';
ALTER TABLE import_uploads ALTER COLUMN content SET STORAGE EXTERNAL;

GRANT SELECT, INSERT, UPDATE, DELETE ON import_jobs, import_uploads TO genjin_app;
