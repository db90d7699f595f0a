-- What tells pages and workers that something happened, at the commit of what happened.
--
--   selify_changes  {"workspace_id", "table", "id", "op"}: a page of that workspace may look again.
--                   Nothing of the row itself travels: whoever looks, looks under row level security.
--   selify_work     'inbox' | 'outbox' | 'jobs': there is work; look now instead of at the next round.
--
-- Notifications are hints, and under load some are left out: PostgreSQL lets transactions that notify
-- commit one after another, each waiting for the disk (measured: 300 commits a second instead of
-- 3,500 with 32 writers). So only one transaction at a time notifies; one that meets another on its
-- way to the disk says nothing. Whoever listens therefore looks again a moment after a hint, and at
-- its usual round in any case; a database with little to do tells everything.
--
-- The triggers are deferred to the commit, so that a long transaction keeps nobody else quiet.
-- A writer of many rows may say SET LOCAL selify.quiet = 'on'.

CREATE FUNCTION internal.hint(channel text, payload text) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    -- The number is any; the lock means "on its way to the disk with a notification".
    IF current_setting('selify.quiet', true) IS DISTINCT FROM 'on'
        AND pg_try_advisory_xact_lock(4816020)
    THEN
        PERFORM pg_notify(channel, payload);
    END IF;
END
$$;
COMMENT ON FUNCTION internal.hint(text, text) IS
    'Notifies at commit, unless another transaction is just doing so.';

CREATE FUNCTION internal.tell(workspace_id uuid, table_name name, id uuid, op text) RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = ''
    AS $$
    SELECT internal.hint('selify_changes', json_build_object(
        'workspace_id', workspace_id, 'table', table_name, 'id', id, 'op', lower(op))::text)
$$;
COMMENT ON FUNCTION internal.tell(uuid, name, uuid, text) IS 'One hint on selify_changes.';

-- SECURITY DEFINER, all of them: a writer need not be able to read what leads to the workspace, nor
-- to call these functions itself.

-- Rows that know their workspace.
CREATE FUNCTION internal.tell_workspace() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF TG_OP = 'DELETE' THEN
        PERFORM internal.tell(OLD.workspace_id, TG_TABLE_NAME, OLD.id, TG_OP);
    ELSE
        PERFORM internal.tell(NEW.workspace_id, TG_TABLE_NAME, NEW.id, TG_OP);
    END IF;
    RETURN NULL;
END
$$;

-- Rows that know their account. The argument names their id: instagram_account_health has no other.
CREATE FUNCTION internal.tell_account() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    row_id uuid;
BEGIN
    IF TG_ARGV[0] = 'account_id' THEN
        row_id := NEW.account_id;
    ELSE
        row_id := NEW.id;
    END IF;
    PERFORM internal.tell(account.workspace_id, TG_TABLE_NAME, row_id, TG_OP)
    FROM public.connected_social_accounts AS account WHERE account.id = NEW.account_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION internal.tell_conversation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM internal.tell(conversation.workspace_id, TG_TABLE_NAME, NEW.id, TG_OP)
    FROM public.social_conversations AS conversation WHERE conversation.id = NEW.conversation_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION internal.wake_workers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM internal.hint('selify_work', TG_ARGV[0]);
    RETURN NULL;
END
$$;

CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.connected_social_accounts
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.notifications
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.social_conversations
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.social_posts_garment_bindings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE OR DELETE ON public.wardrobe_garments
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.workspace_payg_balance
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.workspace_quotas
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.workspace_usage_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_workspace();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.bot_interactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_account('id');
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.instagram_account_health
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_account('account_id');
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.social_messages
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_conversation();

-- Equal hints of one transaction are sent once, so a batch wakes the workers once.
CREATE CONSTRAINT TRIGGER wake_workers AFTER INSERT ON public.webhook_events
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.wake_workers('inbox');
CREATE CONSTRAINT TRIGGER wake_workers AFTER INSERT ON internal.outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.wake_workers('outbox');
CREATE CONSTRAINT TRIGGER wake_workers AFTER INSERT ON internal.jobs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.wake_workers('jobs');
