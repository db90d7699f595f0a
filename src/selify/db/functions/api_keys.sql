-- What becomes of API keys when their maker or their workspace goes, whoever ended it and by which way.

-- They outlive their maker's membership, and an owner is asked to look at them.
CREATE OR REPLACE FUNCTION internal.review_keys_of_member() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE internal.api_keys k
    SET review = CASE TG_OP WHEN 'DELETE' THEN 'maker_left' ELSE 'maker_demoted' END,
        reviews = k.reviews + 1
    WHERE k.workspace_id = OLD.workspace_id AND k.made_by = OLD.user_id AND k.revoked_at IS NULL
      AND k.review IS DISTINCT FROM 'maker_banned';
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER review_keys_when_left AFTER DELETE ON public.workspace_members
    FOR EACH ROW EXECUTE FUNCTION internal.review_keys_of_member();
CREATE OR REPLACE TRIGGER review_keys_when_demoted AFTER UPDATE OF role ON public.workspace_members
    FOR EACH ROW
    WHEN (array_position(ARRAY['owner', 'admin', 'member'], NEW.role)
        > array_position(ARRAY['owner', 'admin', 'member'], OLD.role))
    EXECUTE FUNCTION internal.review_keys_of_member();

-- Not a ban: that ends by itself, and the keys wait for an owner all the same.
CREATE OR REPLACE FUNCTION internal.suspend_keys_of_banned() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE internal.api_keys k SET review = 'maker_banned', reviews = k.reviews + 1
    WHERE k.made_by = NEW.id AND k.revoked_at IS NULL AND k.review IS DISTINCT FROM 'maker_banned';
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER selify_suspend_keys AFTER UPDATE OF banned_until ON auth.users FOR EACH ROW
    WHEN (NEW.banned_until > coalesce(OLD.banned_until, '-infinity'))
    EXECUTE FUNCTION internal.suspend_keys_of_banned();

-- Nor their workspace's deletion: they stay revoked where it is brought back.
CREATE OR REPLACE FUNCTION internal.revoke_keys_of_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    UPDATE internal.api_keys k SET revoked_at = NEW.deleted_at
    WHERE k.workspace_id = NEW.id AND k.revoked_at IS NULL;
    RETURN NULL;
END
$$;

CREATE OR REPLACE TRIGGER revoke_keys AFTER UPDATE OF deleted_at ON public.workspaces
    FOR EACH ROW WHEN (OLD.deleted_at IS NULL AND NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION internal.revoke_keys_of_workspace();
