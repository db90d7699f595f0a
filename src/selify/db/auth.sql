-- Schema auth with the conventions of Supabase: who is asking is read from the transaction's own
-- settings. On a Supabase project all of this is there and Supabase's: nothing here touches it.

DO $auth$
BEGIN
    IF to_regprocedure('auth.uid()') IS NOT NULL THEN
        RETURN;
    END IF;

    CREATE SCHEMA IF NOT EXISTS auth;
    COMMENT ON SCHEMA auth IS
        'Accounts and sessions. Only the system reads them; users ask auth.uid().';

    CREATE TABLE auth.users (
        id                 uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        email              text,
        encrypted_password text,
        email_confirmed_at timestamptz,
        raw_app_meta_data  jsonb NOT NULL DEFAULT '{}',
        raw_user_meta_data jsonb NOT NULL DEFAULT '{}',
        banned_until       timestamptz,
        last_sign_in_at    timestamptz,
        created_at         timestamptz NOT NULL DEFAULT now(),
        updated_at         timestamptz NOT NULL DEFAULT now(),
        deleted_at         timestamptz,
        CONSTRAINT users_email_check CHECK (length(email) <= 320 AND position('@' IN email) > 1)
    );
    CREATE UNIQUE INDEX users_email_key ON auth.users (lower(email));
    COMMENT ON COLUMN auth.users.encrypted_password IS 'An argon2id hash, never a password.';
    COMMENT ON COLUMN auth.users.raw_app_meta_data IS
        'Facts that the system sets, such as {"team": true} for our own staff.';
    COMMENT ON COLUMN auth.users.raw_user_meta_data IS
        'What the user told us about themselves: never trusted.';

    -- What proves a session, the hash of its cookie's secret, is in internal: Supabase has no place
    -- for it.
    CREATE TABLE auth.sessions (
        id           uuid PRIMARY KEY DEFAULT gen_random_uuid(),
        user_id      uuid NOT NULL REFERENCES auth.users (id) ON DELETE CASCADE,
        created_at   timestamptz NOT NULL DEFAULT now(),
        updated_at   timestamptz NOT NULL DEFAULT now(),
        not_after    timestamptz,
        refreshed_at timestamptz,
        user_agent   text,
        ip           inet,
        CONSTRAINT sessions_not_after_check CHECK (not_after > created_at)
    );
    CREATE INDEX sessions_user_id_idx ON auth.sessions (user_id, created_at);
    CREATE INDEX sessions_not_after_idx ON auth.sessions (not_after);

    -- No policy on purpose: only a role that bypasses row level security sees a row.
    ALTER TABLE auth.users ENABLE ROW LEVEL SECURITY;
    ALTER TABLE auth.sessions ENABLE ROW LEVEL SECURITY;

    -- Claims come as one JSON document, or as one setting per claim from older gateways. A setting
    -- that was made with SET LOCAL reads as '' once its transaction is over: that is nobody.
    CREATE FUNCTION auth.jwt() RETURNS jsonb LANGUAGE sql STABLE SET search_path = '' AS $$
        SELECT coalesce(
            nullif(current_setting('request.jwt.claims', true), ''),
            nullif(current_setting('request.jwt.claim', true), '')
        )::jsonb
    $$;
    CREATE FUNCTION auth.uid() RETURNS uuid LANGUAGE sql STABLE SET search_path = '' AS $$
        SELECT coalesce(
            nullif(current_setting('request.jwt.claim.sub', true), ''),
            nullif(auth.jwt() ->> 'sub', '')
        )::uuid
    $$;
    CREATE FUNCTION auth.role() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
        SELECT coalesce(
            nullif(current_setting('request.jwt.claim.role', true), ''),
            auth.jwt() ->> 'role'
        )
    $$;
    CREATE FUNCTION auth.email() RETURNS text LANGUAGE sql STABLE SET search_path = '' AS $$
        SELECT coalesce(
            nullif(current_setting('request.jwt.claim.email', true), ''),
            auth.jwt() ->> 'email'
        )
    $$;

    REVOKE ALL ON SCHEMA auth FROM PUBLIC;
    GRANT USAGE ON SCHEMA auth TO anon, authenticated, service_role;
    GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA auth TO anon, authenticated, service_role;
    REVOKE ALL ON ALL TABLES IN SCHEMA auth FROM PUBLIC, anon, authenticated;
    GRANT SELECT, INSERT, UPDATE, DELETE ON auth.users, auth.sessions TO service_role;
END
$auth$;
