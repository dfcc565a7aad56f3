-- Tokens by which a client shows who it is: only a digest is kept, so that a copy of this table opens nothing.
CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    member_id uuid NOT NULL,
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    revoked_at timestamptz
);

CREATE UNIQUE INDEX tokens_in_use ON tokens (name) WHERE revoked_at IS NULL;

GRANT SELECT, INSERT ON tokens TO genjin_app;
GRANT UPDATE (revoked_at) ON tokens TO genjin_app;
