-- Tokens by which a client shows who it is: only a digest is kept, so that a copy of this table opens nothing.
CREATE TABLE tokens (
    id uuid PRIMARY KEY,
    name text NOT NULL,
    member_id uuid NOT NULL,
    roles text[],                          -- the token is for these of the member's roles; null: for all of them
    digest bytea NOT NULL UNIQUE CHECK (octet_length(digest) = 32),
    made_by text NOT NULL,                 -- member:<uuid>, or rule:token for the operator of the machine
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz,
    last_used_at timestamptz,              -- to the minute or so
    revoked_at timestamptz
);

CREATE UNIQUE INDEX tokens_in_use ON tokens (member_id, name) WHERE revoked_at IS NULL;
CREATE UNIQUE INDEX tokens_of_the_operator ON tokens (name) WHERE revoked_at IS NULL AND made_by = 'rule:token';

GRANT SELECT, INSERT ON tokens TO genjin_app;
GRANT UPDATE (revoked_at, last_used_at) ON tokens TO genjin_app;
