-- Who signed in and out, whom that was refused to, and whose tokens were made and revoked, among the accesses.

ALTER TABLE accesses
    DROP CONSTRAINT accesses_kind_check,
    ADD CONSTRAINT accesses_kind_check CHECK (kind IN (
        'reveal', 'bulk', 'export', 'refused', 'sign-in', 'sign-in-refused', 'sign-out', 'token-made', 'token-revoked')),
    ADD COLUMN member_id uuid,
    ADD COLUMN token_id uuid;
COMMENT ON TABLE accesses IS 'Reveals, reads in bulk and exports of personal data, what was refused, and who signed in; itself without personal data.';
COMMENT ON COLUMN accesses.member_id IS 'Whose account or token it was; of a refused sign-in none where nobody has such an account.';
CREATE INDEX accesses_member ON accesses (member_id, id) WHERE member_id IS NOT NULL;
CREATE INDEX accesses_sign_ins_refused ON accesses (at) WHERE kind = 'sign-in-refused';

GRANT INSERT (member_id, token_id) ON accesses TO genjin_app;
