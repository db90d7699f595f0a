-- Who belongs to what: the one place that policies ask.
--
-- Each function answers for auth.uid() with an array. A policy compares against it in a sub-select,
--     workspace_id = ANY ((SELECT internal.my_workspaces())::uuid[])
-- so that PostgreSQL evaluates it once per statement (an InitPlan) and may use the column's index.
-- SECURITY DEFINER, because the caller need not be able to read memberships to be judged by them
-- (and a policy of workspace_members could not ask itself). Never null: nothing is an empty array.

-- A membership counts from the moment it was joined until it expires, in a workspace that is not
-- deleted, for a user who is neither banned nor deleted. One that began without an invitation (its
-- workspace was made by this user) counts at once.
CREATE OR REPLACE VIEW internal.active_members AS
    SELECT m.workspace_id, m.user_id, m.role
    FROM public.workspace_members m
    JOIN public.workspaces w ON w.id = m.workspace_id
    JOIN auth.users u ON u.id = m.user_id
    WHERE w.deleted_at IS NULL
      AND (m.joined_at IS NOT NULL OR m.invited_at IS NULL)
      AND (m.expires_at IS NULL OR m.expires_at > now())
      AND (u.banned_until IS NULL OR u.banned_until <= now())
      AND u.deleted_at IS NULL;
COMMENT ON VIEW internal.active_members IS 'The memberships that give access right now.';

-- An API key is no person: its requests carry its own id, and the workspace and role that it was given, as
-- claims that only the server writes, once it has looked the key up.
CREATE OR REPLACE VIEW internal.active_access AS
    SELECT m.workspace_id, m.user_id, m.role FROM internal.active_members m
    UNION ALL
    SELECT w.id, auth.uid(), auth.jwt() #>> '{api_key,role}'
    FROM public.workspaces w
    WHERE w.id = (auth.jwt() #>> '{api_key,workspace_id}')::uuid AND w.deleted_at IS NULL;
COMMENT ON VIEW internal.active_access IS
    'Who may act where right now: members, and the API key whose request this is.';

CREATE OR REPLACE FUNCTION internal.my_workspaces() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(m.workspace_id), '{}')
    FROM internal.active_access m
    WHERE m.user_id = auth.uid()
$$;
COMMENT ON FUNCTION internal.my_workspaces() IS
    'Workspaces that the user is an active member of, in any role.';

CREATE OR REPLACE FUNCTION internal.my_admin_workspaces() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(m.workspace_id), '{}')
    FROM internal.active_access m
    WHERE m.user_id = auth.uid() AND m.role IN ('owner', 'admin')
$$;
COMMENT ON FUNCTION internal.my_admin_workspaces() IS
    'Workspaces that the user is owner or admin of.';

CREATE OR REPLACE FUNCTION internal.my_owned_workspaces() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(m.workspace_id), '{}')
    FROM internal.active_access m
    WHERE m.user_id = auth.uid() AND m.role = 'owner'
$$;
COMMENT ON FUNCTION internal.my_owned_workspaces() IS 'Workspaces that the user is owner of.';

CREATE OR REPLACE FUNCTION internal.my_accounts() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(a.id), '{}')
    FROM public.connected_social_accounts a
    JOIN internal.active_access m ON m.workspace_id = a.workspace_id
    WHERE m.user_id = auth.uid()
$$;
COMMENT ON FUNCTION internal.my_accounts() IS
    'Connected accounts of the user''s workspaces, the disconnected ones too: their history stays.';

CREATE OR REPLACE FUNCTION internal.my_email_accounts() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(e.id), '{}')
    FROM public.workspace_email_accounts e
    JOIN internal.active_access m ON m.workspace_id = e.workspace_id
    WHERE m.user_id = auth.uid()
      AND (m.role IN ('owner', 'admin')
        OR EXISTS (SELECT FROM public.workspace_email_account_members access
                   WHERE access.account_id = e.id AND access.user_id = m.user_id))
$$;
COMMENT ON FUNCTION internal.my_email_accounts() IS
    'Workspace e-mail accounts that the user was given access to, or administers.';

CREATE OR REPLACE FUNCTION internal.my_managed_email_accounts() RETURNS uuid[]
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT coalesce(array_agg(e.id), '{}')
    FROM public.workspace_email_accounts e
    JOIN internal.active_access m ON m.workspace_id = e.workspace_id
    WHERE m.user_id = auth.uid()
      AND (m.role IN ('owner', 'admin')
        OR EXISTS (SELECT FROM public.workspace_email_account_members access
                   WHERE access.account_id = e.id AND access.user_id = m.user_id
                     AND access.role IN ('owner', 'admin')))
$$;
COMMENT ON FUNCTION internal.my_managed_email_accounts() IS
    'Workspace e-mail accounts whose access list the user may change.';

CREATE OR REPLACE FUNCTION internal.is_member(workspace_id uuid, user_id uuid) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT EXISTS (
        SELECT FROM internal.active_members m
        WHERE m.workspace_id = is_member.workspace_id AND m.user_id = is_member.user_id
    )
$$;
COMMENT ON FUNCTION internal.is_member(uuid, uuid) IS
    'Whether that user is an active member of that workspace.';

CREATE OR REPLACE FUNCTION internal.is_team() RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT EXISTS (
        SELECT FROM auth.users u
        WHERE u.id = auth.uid()
          AND u.raw_app_meta_data @> '{"team": true}'
          AND (u.banned_until IS NULL OR u.banned_until <= now())
          AND u.deleted_at IS NULL
    )
$$;
COMMENT ON FUNCTION internal.is_team() IS
    'Whether the user is our own staff. Read from the account, not the token, so it ends at once.';

CREATE OR REPLACE FUNCTION internal.acting_role() RETURNS text
    LANGUAGE sql STABLE SET search_path = ''
    AS $$
    SELECT coalesce(nullif(current_setting('role', true), 'none'), session_user::text)
$$;
COMMENT ON FUNCTION internal.acting_role() IS
    'The role of the request, also inside SECURITY DEFINER, where current_user is the owner.';

CREATE OR REPLACE FUNCTION internal.is_own_path(path text, workspace_id uuid) RETURNS boolean
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$
    SELECT path IS NULL
        OR (workspace_id::text = ANY (string_to_array(path, '/')) AND path !~ '(^|/)\.\.?(/|$)')
$$;
COMMENT ON FUNCTION internal.is_own_path(text, uuid) IS
    'Whether the way to a stored file leads through the workspace''s own folder, and stays there.';

CREATE OR REPLACE FUNCTION internal.is_own_garment_link(
    workspace_id uuid, collection_id uuid, product_id uuid, variant_id uuid
) RETURNS boolean
    LANGUAGE sql STABLE SECURITY DEFINER SET search_path = ''
    AS $$
    WITH link AS (SELECT workspace_id AS workspace, collection_id, product_id, variant_id)
    SELECT (link.collection_id IS NULL OR EXISTS (
            SELECT FROM public.wardrobe_collections c
            WHERE c.id = link.collection_id AND c.workspace_id = link.workspace))
        AND (link.product_id IS NULL OR EXISTS (
            SELECT FROM public.shopify_products p
            WHERE p.id = link.product_id AND p.workspace_id = link.workspace))
        AND (link.variant_id IS NULL OR EXISTS (
            SELECT FROM public.shopify_product_variants v
            JOIN public.shopify_products p ON p.id = v.product_id
            WHERE v.id = link.variant_id AND p.workspace_id = link.workspace))
    FROM link
$$;
COMMENT ON FUNCTION internal.is_own_garment_link(uuid, uuid, uuid, uuid) IS
    'Whether what a garment is filed under and was taken from belongs to its workspace.';
