-- How members show who they are. None of it is in the ledger: secrets, even as digests, must be possible to forget.

CREATE TABLE passwords (
    member_id uuid PRIMARY KEY,
    hash text NOT NULL,                    -- argon2id, with its parameters and salt
    changed_at timestamptz NOT NULL DEFAULT clock_timestamp()
);

-- By which member an e-mail address is used; the ledger keeps addresses sealed, so that they cannot be searched there.
CREATE TABLE member_addresses (
    member_id uuid PRIMARY KEY,
    digest bytea NOT NULL CHECK (octet_length(digest) = 32),
    position bigint NOT NULL               -- of the event that brought it
);
COMMENT ON COLUMN member_addresses.digest IS 'Keyed hash of the address: without the master key it cannot be guessed.';
CREATE INDEX member_addresses_digest ON member_addresses (digest, position);

CREATE TABLE member_addresses_known (
    only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
    position bigint NOT NULL DEFAULT 0     -- addresses of events up to this one are known
);
INSERT INTO member_addresses_known DEFAULT VALUES;
CREATE INDEX events_of_addresses ON events (position)
    WHERE topic IN ('member.registered', 'member.invited', 'member.removed');

-- Sessions of people at a page, by the digest of what their cookie holds.
CREATE TABLE sessions (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    member_id uuid NOT NULL,
    begun_by text NOT NULL CHECK (begun_by IN ('password', 'code', 'openid')),
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    seen_at timestamptz NOT NULL DEFAULT clock_timestamp(),     -- to the minute or so
    expires_at timestamptz NOT NULL        -- however much it is used
) WITH (fillfactor = 70);
CREATE INDEX sessions_member ON sessions (member_id);
CREATE INDEX sessions_expiry ON sessions (expires_at);

-- Codes that let somebody in once: an invitation, a new password, the first administrator.
CREATE TABLE one_time_codes (
    digest bytea PRIMARY KEY CHECK (octet_length(digest) = 32),
    purpose text NOT NULL CHECK (purpose IN ('setup', 'invitation', 'password-reset')),
    member_id uuid NOT NULL,
    address bytea,                         -- keyed hash of the address it was made for; another address makes it void
    made_by text NOT NULL,
    created_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX one_time_codes_member ON one_time_codes (member_id);

-- Wrong passwords, counted by keyed hashes of accounts and of addresses on the network, for all processes together.
CREATE TABLE sign_in_failures (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    failures integer NOT NULL,
    last_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    wait_until timestamptz
) WITH (fillfactor = 70);
CREATE INDEX sign_in_failures_age ON sign_in_failures (last_at);

-- From where an account was signed in to: there nobody's wrong passwords elsewhere make its owner wait.
CREATE TABLE sign_in_places (
    key bytea PRIMARY KEY CHECK (octet_length(key) = 32),
    member_id uuid NOT NULL,
    last_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
CREATE INDEX sign_in_places_member ON sign_in_places (member_id);
CREATE INDEX sign_in_places_age ON sign_in_places (last_at);

GRANT SELECT, INSERT, UPDATE, DELETE ON
    passwords, member_addresses, sessions, one_time_codes, sign_in_failures, sign_in_places TO genjin_app;
GRANT SELECT, UPDATE ON member_addresses_known TO genjin_app;
