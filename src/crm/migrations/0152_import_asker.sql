-- Who asked for an import, and with what limits: checked again when the job starts and while it runs.

ALTER TABLE import_jobs
    ADD COLUMN member_id uuid,
    ADD COLUMN only_roles text[],
    ADD COLUMN token_digest bytea CHECK (octet_length(token_digest) = 32);
COMMENT ON COLUMN import_jobs.member_id IS 'The member who asked for it.';
COMMENT ON COLUMN import_jobs.only_roles IS 'The roles that its token was limited to; null: all that the member has.';
COMMENT ON COLUMN import_jobs.token_digest IS 'The token that it was asked with; null: a session, whose end does not end the job.';

-- Jobs that wait or run during the upgrade keep the member in `asked_by` alone.
UPDATE import_jobs SET member_id = substr(asked_by, 8)::uuid
 WHERE asked_by ~ '^member:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$';
