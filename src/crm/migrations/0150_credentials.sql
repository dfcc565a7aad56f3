-- Credentials: whether a token or session is in force, checked in the transaction that relies on it, and the revocation
-- of tokens together with those made with them.
--
-- Every transaction that makes, ends or relies on a credential takes lock_ledger() first, as append() does: so each write
-- is either before a revocation or after it.

SELECT set_config('search_path', current_setting('search_path') || ', pg_temp', true);

ALTER TABLE tokens ADD COLUMN parent_id uuid REFERENCES tokens;
COMMENT ON COLUMN tokens.parent_id IS 'The token that it was made with, and with which it is revoked; null: made in a session or by the operator.';
CREATE INDEX tokens_parent ON tokens (parent_id) WHERE parent_id IS NOT NULL;

ALTER TABLE one_time_codes ADD COLUMN token_id uuid REFERENCES tokens;
COMMENT ON COLUMN one_time_codes.token_id IS 'The token that it was made with, and with which it ends; null: made in a session or by the operator.';
CREATE INDEX one_time_codes_token ON one_time_codes (token_id) WHERE token_id IS NOT NULL;
CREATE INDEX one_time_codes_maker ON one_time_codes (made_by);

GRANT EXECUTE ON FUNCTION lock_ledger() TO genjin_app;

-- Whether the token or session of this digest is in force now: not revoked, not signed out of, not expired.
CREATE FUNCTION credential_holds(kind text, digest bytea) RETURNS boolean
LANGUAGE plpgsql STABLE SET search_path FROM CURRENT SET plan_cache_mode = force_generic_plan AS $$
BEGIN
    IF kind = 'token' THEN
        RETURN EXISTS (SELECT FROM tokens t WHERE t.digest = credential_holds.digest AND t.revoked_at IS NULL
                          AND (t.expires_at IS NULL OR t.expires_at > clock_timestamp()));
    ELSIF kind = 'session' THEN
        RETURN EXISTS (SELECT FROM sessions s WHERE s.digest = credential_holds.digest
                          AND s.expires_at > clock_timestamp());
    END IF;
    RETURN false;
END $$;

-- Revokes these tokens with all their descendants, notes an access for each, and says which were revoked by it. Unused
-- codes that were made with any of them are deleted, be the token out of use already.
CREATE FUNCTION revoke_tokens(which uuid[], revoked_by text) RETURNS uuid[]
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
DECLARE
    revoked uuid[];
BEGIN
    PERFORM lock_ledger();
    WITH RECURSIVE falling AS (
        SELECT t.id FROM tokens t WHERE t.id = ANY(which)
        UNION
        SELECT t.id FROM falling f JOIN tokens t ON t.parent_id = f.id
    ), done AS (
        UPDATE tokens t SET revoked_at = clock_timestamp() FROM falling f
         WHERE t.id = f.id AND t.revoked_at IS NULL RETURNING t.id, t.member_id
    ), undone AS (
        DELETE FROM one_time_codes c USING falling f WHERE c.token_id = f.id AND c.used_at IS NULL
    ), noted AS (
        INSERT INTO accesses (kind, actor, action, member_id, token_id)
        SELECT 'token-revoked', revoked_by, 'revoke-token', d.member_id, d.id FROM done d ORDER BY d.id
    )
    SELECT coalesce(array_agg(d.id ORDER BY d.id), '{}') INTO revoked FROM done d;
    RETURN revoked;
END $$;

-- Frees the name of tokens that have expired: they count as revoked from the moment at which they expired.
CREATE FUNCTION release_token_name(of_name text) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path FROM CURRENT AS $$
    UPDATE tokens SET revoked_at = expires_at
     WHERE name = of_name AND revoked_at IS NULL AND expires_at <= clock_timestamp()
$$;

-- A token is revoked by these functions alone, so never without its descendants.
REVOKE UPDATE (revoked_at) ON tokens FROM genjin_app;

-- Takes from these members whatever they could still sign in with, the codes that they made for others included.
CREATE FUNCTION end_credentials(whose uuid[], ended_by text) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM revoke_tokens(ARRAY(SELECT t.id FROM tokens t WHERE t.member_id = ANY(whose)), ended_by);
    DELETE FROM sessions WHERE member_id = ANY(whose);
    DELETE FROM one_time_codes
     WHERE used_at IS NULL
       AND (member_id = ANY(whose) OR made_by = ANY(ARRAY(SELECT 'member:' || maker FROM unnest(whose) maker)));
END $$;

CREATE FUNCTION end_credentials_of_removed() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM end_credentials(ARRAY[NEW.originator_id], convert_from(NEW.state, 'UTF8')::jsonb ->> 'actor');
    RETURN NULL;
END $$;

CREATE TRIGGER events_removal AFTER INSERT ON events
    FOR EACH ROW WHEN (NEW.topic = 'member.removed') EXECUTE FUNCTION end_credentials_of_removed();

-- Forgets what these members signed in with and what their tokens were called; of other subjects there is nothing.
CREATE OR REPLACE FUNCTION forget_members(whose uuid[]) RETURNS void
LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
    PERFORM end_credentials(whose, 'rule:erasure');
    DELETE FROM member_addresses WHERE member_id = ANY(whose);
    DELETE FROM passwords WHERE member_id = ANY(whose);
    DELETE FROM one_time_codes WHERE member_id = ANY(whose);
    DELETE FROM sign_in_places WHERE member_id = ANY(whose);
    UPDATE tokens SET name = '' WHERE member_id = ANY(whose) AND name <> '';
END $$;

REVOKE ALL ON FUNCTION credential_holds(text, bytea), revoke_tokens(uuid[], text), release_token_name(text),
    end_credentials(uuid[], text), end_credentials_of_removed() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION credential_holds(text, bytea), revoke_tokens(uuid[], text), release_token_name(text)
    TO genjin_app;

-- Members who were removed before this.
SELECT end_credentials(ARRAY(SELECT originator_id FROM events WHERE topic = 'member.removed'), 'rule:removal');
