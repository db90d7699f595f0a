-- The database's roles: the three that Supabase has, and one login that may only become them.
--
--   anon           a visitor who has not signed in
--   authenticated  a signed-in user; row level security decides which rows are theirs
--   service_role   the system itself, with a reason; row level security does not apply to it
--   selify_login   what the server connects as: owns nothing, may do nothing until SET LOCAL ROLE
--
-- Roles belong to the whole cluster, so every statement here may meet a role that is already there
-- (another database, a second migration at the same moment, a Supabase project). Such a role is
-- left as it is.

DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES
            ('anon',          'NOLOGIN NOINHERIT'),
            ('authenticated', 'NOLOGIN NOINHERIT'),
            ('service_role',  'NOLOGIN NOINHERIT BYPASSRLS'),
            ('selify_login',  'LOGIN NOINHERIT')
        ) AS roles (name, attributes)
    LOOP
        CONTINUE WHEN EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name);
        BEGIN
            EXECUTE format('CREATE ROLE %I %s', wanted.name, wanted.attributes);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- made by someone else a moment ago
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'The database user "%" may not create the role "%".',
                        current_user, wanted.name
                    USING ERRCODE = 'insufficient_privilege', HINT = format(
                        'Have an administrator run once: CREATE ROLE %I %s; then upgrade again.',
                        wanted.name, wanted.attributes);
        END;
    END LOOP;
END
$$;

-- A service_role that is held back by row level security would read empty tables without an error.
DO $$
BEGIN
    IF NOT (SELECT rolbypassrls OR rolsuper FROM pg_roles WHERE rolname = 'service_role') THEN
        RAISE EXCEPTION 'The role "service_role" exists but does not bypass row level security.'
            USING ERRCODE = 'insufficient_privilege', HINT =
                'Have an administrator run once: ALTER ROLE service_role BYPASSRLS;'
                ' then upgrade again.';
    END IF;
END
$$;

-- Who may become whom. The migrating user may become the login: in a small setup they are one.
DO $$
DECLARE
    membership record;
BEGIN
    FOR membership IN
        SELECT * FROM (VALUES
            ('selify_login', 'anon'),
            ('selify_login', 'authenticated'),
            ('selify_login', 'service_role'),
            (current_user::text, 'selify_login')
        ) AS memberships (member, role)
    LOOP
        CONTINUE WHEN pg_has_role(membership.member, membership.role, 'MEMBER');
        BEGIN
            EXECUTE format('GRANT %I TO %I', membership.role, membership.member);
        EXCEPTION
            WHEN duplicate_object OR unique_violation THEN
                NULL;  -- granted by someone else a moment ago
            WHEN insufficient_privilege THEN
                RAISE EXCEPTION 'The database user "%" may not let "%" act as "%".',
                        current_user, membership.member, membership.role
                    USING ERRCODE = 'insufficient_privilege', HINT = format(
                        'Have an administrator run once: GRANT %I TO %I; then upgrade again.',
                        membership.role, membership.member);
        END;
    END LOOP;
END
$$;
