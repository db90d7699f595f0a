-- Workspaces are born whole, keep an owner, and form a tree of depth one.

-- However a workspace is made, it has its owner, its weekly credits, its balance and its settings.
CREATE OR REPLACE FUNCTION internal.provision_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    -- The column's own default (100) would not pay for a single try-on.
    free_week bigint := coalesce(
        (SELECT t.weekly_credits_limit FROM public.subscription_tiers t WHERE t.slug = 'free'),
        10000
    );
BEGIN
    INSERT INTO public.workspace_members (workspace_id, user_id, role, joined_at)
    VALUES (NEW.id, NEW.owner_id, 'owner', now())
    ON CONFLICT (workspace_id, user_id) DO NOTHING;

    INSERT INTO public.workspace_quotas
        (workspace_id, subscription_tier, period_start, period_end, weekly_credits_limit)
    VALUES (NEW.id, 'free', now(), now() + interval '7 days', free_week)
    ON CONFLICT (workspace_id) DO NOTHING;

    INSERT INTO public.workspace_payg_balance (workspace_id) VALUES (NEW.id)
    ON CONFLICT (workspace_id) DO NOTHING;

    INSERT INTO public.workspace_auto_reload_settings
        (workspace_id, enabled, threshold_cents, reload_amount_cents, created_by)
    VALUES (NEW.id, false, 500, 1500, NEW.owner_id)
    ON CONFLICT (workspace_id) DO NOTHING;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER provision_workspace AFTER INSERT ON public.workspaces
    FOR EACH ROW EXECUTE FUNCTION internal.provision_workspace();

CREATE OR REPLACE FUNCTION internal.slug_from(name text) RETURNS text
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$
    WITH plain (letters) AS (
        SELECT lower(regexp_replace(normalize(slug_from.name, nfkd), '[\u0300-\u036f]', '', 'g'))
    )
    SELECT coalesce(nullif(trim('-' FROM left(trim('-' FROM
        regexp_replace(letters, '[^a-z0-9]+', '-', 'g')), 48)), ''), 'workspace')
    FROM plain
$$;
COMMENT ON FUNCTION internal.slug_from(text) IS
    '"Été & Co." gives "ete-co": accents go, and so does all that is no Latin letter or digit.';

CREATE OR REPLACE FUNCTION public.create_workspace_with_owner(
    workspace_name text,
    workspace_slug text DEFAULT NULL,
    owner_id uuid DEFAULT NULL,
    workspace_description text DEFAULT NULL
) RETURNS public.workspaces
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    named CONSTANT uuid := create_workspace_with_owner.owner_id;
    is_user CONSTANT boolean := internal.acting_role() IN ('anon', 'authenticated');
    owner CONSTANT uuid := CASE WHEN is_user THEN auth.uid() ELSE named END;
    title CONSTANT text := trim(workspace_name);
    base CONSTANT text := internal.slug_from(coalesce(nullif(trim(workspace_slug), ''), title));
    candidate text := base;
    made public.workspaces;
BEGIN
    IF owner IS NULL THEN
        RAISE EXCEPTION 'A workspace needs an owner.' USING ERRCODE = 'insufficient_privilege',
            HINT = 'Sign in, or name the owner when acting as the system.';
    ELSIF named <> owner THEN
        RAISE EXCEPTION 'You can create workspaces for yourself only.'
            USING ERRCODE = 'insufficient_privilege';
    ELSIF coalesce(length(title), 0) NOT BETWEEN 1 AND 120 THEN
        RAISE EXCEPTION 'Give the workspace a name of 1 to 120 letters.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workspaces_name_check';
    END IF;
    LOOP
        INSERT INTO public.workspaces (name, slug, owner_id, description)
        VALUES (title, candidate, owner, workspace_description)
        ON CONFLICT (slug) DO NOTHING
        RETURNING * INTO made;
        EXIT WHEN FOUND;
        candidate := base || '-' || lower(left(internal.new_referral_code(), 5));
    END LOOP;
    RETURN made;
END
$$;
COMMENT ON FUNCTION public.create_workspace_with_owner(text, text, uuid, text) IS
    'A workspace with its owner, quota, balance and settings in one step. A user becomes the owner;'
    ' the system names one. A slug that is taken gets a suffix.';

-- Memberships -------------------------------------------------------------------------------------

-- What a user writes is an invitation: the invited person decides when it becomes a membership. An
-- owner never expires, or time alone could leave a workspace without one. SECURITY INVOKER, because
-- current_user must be who writes.
CREATE OR REPLACE FUNCTION internal.check_membership() RETURNS trigger
    LANGUAGE plpgsql SET search_path = ''
    AS $$
BEGIN
    IF TG_OP = 'INSERT' AND current_user IN ('anon', 'authenticated') THEN
        NEW.invited_at := now();
        NEW.invited_by := auth.uid();
        NEW.joined_at := NULL;
    END IF;
    IF NEW.role = 'owner' AND NEW.expires_at IS NOT NULL THEN
        RAISE EXCEPTION 'An owner''s membership cannot expire.' USING ERRCODE = 'check_violation',
            CONSTRAINT = 'workspace_members_owner_never_expires';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER check_membership BEFORE INSERT OR UPDATE ON public.workspace_members
    FOR EACH ROW EXECUTE FUNCTION internal.check_membership();

-- Of owners counts who can act: joined, neither banned nor deleted (internal.active_members). The workspace's
-- row is locked first, so that two owners who leave at once cannot both succeed.
CREATE OR REPLACE FUNCTION internal.keep_an_owner() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    successor uuid;
BEGIN
    PERFORM FROM public.workspaces w
    WHERE w.id = OLD.workspace_id AND w.deleted_at IS NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RETURN NULL;  -- the workspace itself is deleted, or being deleted
    END IF;
    SELECT m.user_id INTO successor
    FROM internal.active_members a
    JOIN public.workspace_members m ON m.workspace_id = a.workspace_id AND m.user_id = a.user_id
    JOIN public.workspaces w ON w.id = m.workspace_id
    WHERE a.workspace_id = OLD.workspace_id AND a.role = 'owner'
    ORDER BY m.user_id = w.owner_id DESC, m.joined_at NULLS FIRST, m.user_id
    LIMIT 1;
    IF successor IS NULL THEN
        RAISE EXCEPTION 'A workspace needs at least one owner who can act.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workspaces_keep_an_owner',
                HINT = 'Make someone else an owner first, or delete the workspace.';
    END IF;
    UPDATE public.workspaces w SET owner_id = successor
    WHERE w.id = OLD.workspace_id AND w.owner_id <> successor;
    RETURN NULL;
END
$$;

-- Not for who was only invited to own: that is no owner yet, and whoever deletes the workspace takes such
-- invitations back while holding its row.
CREATE OR REPLACE TRIGGER keep_an_owner_on_delete AFTER DELETE ON public.workspace_members
    FOR EACH ROW WHEN (OLD.role = 'owner' AND (OLD.joined_at IS NOT NULL OR OLD.invited_at IS NULL))
    EXECUTE FUNCTION internal.keep_an_owner();
CREATE OR REPLACE TRIGGER keep_an_owner_on_update
    AFTER UPDATE OF workspace_id, user_id, role, invited_at, joined_at ON public.workspace_members
    FOR EACH ROW WHEN (OLD.role = 'owner' AND (OLD.joined_at IS NOT NULL OR OLD.invited_at IS NULL))
    EXECUTE FUNCTION internal.keep_an_owner();

-- Whose card is charged is the owner's to say (workspace_auto_reload_settings.created_by): where another
-- becomes the owner, nothing is bought until they have confirmed it.
CREATE OR REPLACE FUNCTION internal.stop_auto_reload() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE public.workspace_auto_reload_settings s SET enabled = false
    WHERE s.workspace_id = NEW.id AND s.enabled AND s.created_by IS DISTINCT FROM NEW.owner_id;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER stop_auto_reload AFTER UPDATE OF owner_id ON public.workspaces
    FOR EACH ROW WHEN (OLD.owner_id <> NEW.owner_id) EXECUTE FUNCTION internal.stop_auto_reload();

-- Deleting ----------------------------------------------------------------------------------------

-- Whoever deletes a workspace, in the same moment nothing of it runs, answers, pays or lets anybody in.
-- Tokens of accounts stay for the job that says goodbye to the platforms with them.
CREATE OR REPLACE FUNCTION internal.silence_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE public.connected_social_accounts a
    SET status = 'disconnected', disconnected_at = coalesce(a.disconnected_at, NEW.deleted_at)
    WHERE a.workspace_id = NEW.id AND a.status NOT IN ('disconnected', 'purged');
    UPDATE public.workspace_auto_reload_settings s SET enabled = false
    WHERE s.workspace_id = NEW.id AND s.enabled;
    UPDATE public.vr_shop_tokens t SET is_active = false
    WHERE t.workspace_id = NEW.id AND t.is_active;
    DELETE FROM public.workspace_members m
    WHERE m.workspace_id = NEW.id AND m.joined_at IS NULL AND m.invited_at IS NOT NULL;
    -- One that is just being accepted or taken back finds no workspace any more.
    DELETE FROM internal.ownership_offers o WHERE o.workspace_id = (
        SELECT f.workspace_id FROM internal.ownership_offers f
        WHERE f.workspace_id = NEW.id FOR UPDATE SKIP LOCKED);
    UPDATE internal.jobs j SET state = 'cancelled', last_error = 'The workspace was deleted.'
    WHERE j.workspace_id = NEW.id AND j.state = 'queued';
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER silence_workspace AFTER UPDATE OF deleted_at ON public.workspaces
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION internal.silence_workspace();

-- Holdings ----------------------------------------------------------------------------------------

-- Holding -> brand and no further: a parent is a holding without a parent, a child has no children.
CREATE OR REPLACE FUNCTION internal.check_holding() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF NEW.parent_workspace_id IS NOT NULL THEN
        PERFORM FROM public.workspaces w
        WHERE w.id = NEW.parent_workspace_id AND w.id <> NEW.id AND w.is_holding_company
          AND w.parent_workspace_id IS NULL AND w.deleted_at IS NULL
        FOR SHARE;
        IF NOT FOUND THEN
            RAISE EXCEPTION 'A brand can only belong to a holding that belongs to no other.'
                USING ERRCODE = 'check_violation', CONSTRAINT = 'workspaces_holding_depth';
        END IF;
    END IF;
    IF (NEW.parent_workspace_id IS NOT NULL OR NEW.is_holding_company IS NOT TRUE)
       AND EXISTS (SELECT FROM public.workspaces w WHERE w.parent_workspace_id = NEW.id) THEN
        RAISE EXCEPTION 'A workspace with brands under it stays a holding.'
            USING ERRCODE = 'check_violation', CONSTRAINT = 'workspaces_holding_depth',
                HINT = 'Move its brands elsewhere first.';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER check_holding
    BEFORE INSERT OR UPDATE OF parent_workspace_id, is_holding_company ON public.workspaces
    FOR EACH ROW EXECUTE FUNCTION internal.check_holding();

-- Settings ----------------------------------------------------------------------------------------

-- One key of them switches charging off: no user's to write, should settings ever be. SECURITY INVOKER,
-- because current_user must be who writes.
CREATE OR REPLACE FUNCTION internal.check_workspace_settings() RETURNS trigger
    LANGUAGE plpgsql SET search_path = ''
    AS $$
BEGIN
    IF current_user IN ('anon', 'authenticated') THEN
        RAISE EXCEPTION 'Whether credits are counted is not a setting of the workspace.'
            USING ERRCODE = 'insufficient_privilege';
    END IF;
    RETURN NEW;
END
$$;

CREATE OR REPLACE TRIGGER check_workspace_settings BEFORE UPDATE OF settings ON public.workspaces
    FOR EACH ROW
    WHEN (OLD.settings -> 'credits_enabled' IS DISTINCT FROM NEW.settings -> 'credits_enabled')
    EXECUTE FUNCTION internal.check_workspace_settings();
