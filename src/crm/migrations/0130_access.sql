-- Who looked at what, and who was refused what: what auditors read beside the history. Nothing in it is changed.

CREATE TABLE accesses (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    kind text NOT NULL CHECK (kind IN ('reveal', 'bulk', 'export', 'refused')),
    actor text NOT NULL,
    action text NOT NULL,
    customer_id uuid,
    rows bigint,
    reason text
);
COMMENT ON TABLE accesses IS 'Reveals, reads in bulk and exports of personal data, and what was refused; itself without personal data.';
COMMENT ON COLUMN accesses.action IS 'What was asked for, as the policy calls it.';
COMMENT ON COLUMN accesses.rows IS 'How many rows were shown.';
CREATE INDEX accesses_actor ON accesses (actor, id);
CREATE INDEX accesses_customer ON accesses (customer_id, id) WHERE customer_id IS NOT NULL;

GRANT SELECT ON accesses TO genjin_app;
GRANT INSERT (kind, actor, action, customer_id, rows, reason) ON accesses TO genjin_app;
