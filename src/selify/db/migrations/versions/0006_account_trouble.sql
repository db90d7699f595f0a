-- A run of failures, from the first one until a success ends it.
CREATE TABLE internal.account_trouble (
    account_id  uuid NOT NULL,
    scope       text NOT NULL,
    since       timestamptz NOT NULL,
    code        text NOT NULL,
    reason      text NOT NULL,
    needs_owner boolean NOT NULL DEFAULT false,
    told_at     timestamptz,
    CONSTRAINT account_trouble_pkey PRIMARY KEY (account_id, scope),
    CONSTRAINT account_trouble_scope_check CHECK (scope IN ('sends', 'comments')),
    CONSTRAINT account_trouble_account_fkey FOREIGN KEY (account_id)
        REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.account_trouble IS
    'Sends of an account that fail in a row: since when, and the latest reason in words for its owner. A success deletes the row.';
COMMENT ON COLUMN internal.account_trouble.scope IS
    'sends: any send, ended by any success. comments: what only the reply to a comment needs, ended by such a reply.';
COMMENT ON COLUMN internal.account_trouble.needs_owner IS
    'Only the owner can end it: a permission or a switch is missing.';
COMMENT ON COLUMN internal.account_trouble.told_at IS
    'When the brand was told last. Who was told is told too when it is over.';

ALTER TABLE internal.send_pace
    ADD COLUMN paused_since timestamptz,
    ADD COLUMN paused_why text,
    ADD COLUMN may_end_early boolean NOT NULL DEFAULT false;
COMMENT ON COLUMN internal.send_pace.paused_why IS 'The latest pause in words for the owner.';
COMMENT ON COLUMN internal.send_pace.may_end_early IS
    'Nobody told us how long: the owner may have mended it, or the platform may be back, before it ends.';

-- Trouble and notices are few, and must be on the page within seconds: their hint is never left out.
CREATE FUNCTION internal.tell_surely(workspace_id uuid, table_name name, id uuid, op text)
    RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF current_setting('selify.quiet', true) IS DISTINCT FROM 'on' THEN
        PERFORM pg_notify('selify_changes', json_build_object(
            'workspace_id', workspace_id, 'table', table_name, 'id', id, 'op', lower(op))::text);
    END IF;
END
$$;
COMMENT ON FUNCTION internal.tell_surely(uuid, name, uuid, text) IS
    'As internal.tell, also while another transaction is notifying. For what happens seldom.';

CREATE FUNCTION internal.tell_trouble() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    account uuid := CASE TG_OP WHEN 'DELETE' THEN OLD.account_id ELSE NEW.account_id END;
BEGIN
    -- The page knows of the account's health; this table is ours.
    PERFORM internal.tell_surely(a.workspace_id, 'instagram_account_health', account, TG_OP)
    FROM public.connected_social_accounts AS a WHERE a.id = account;
    RETURN NULL;
END
$$;

CREATE FUNCTION internal.tell_notice() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM internal.tell_surely(NEW.workspace_id, TG_TABLE_NAME, NEW.id, TG_OP);
    RETURN NULL;
END
$$;

CREATE FUNCTION internal.tell_subscription() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM internal.tell(a.workspace_id, TG_TABLE_NAME, NEW.id, TG_OP)
    FROM public.connected_social_accounts AS a WHERE a.id = NEW.connected_account_id;
    RETURN NULL;
END
$$;

CREATE FUNCTION internal.tell_itself() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM internal.tell(NEW.id, TG_TABLE_NAME, NEW.id, TG_OP);
    RETURN NULL;
END
$$;

-- Only by their triggers, as the others of this kind.
REVOKE ALL ON FUNCTION
    internal.tell_surely(uuid, name, uuid, text), internal.tell_trouble(), internal.tell_notice(),
    internal.tell_subscription(), internal.tell_itself()
FROM PUBLIC, anon, authenticated;

CREATE CONSTRAINT TRIGGER tell_surely AFTER INSERT OR DELETE ON internal.account_trouble
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_trouble();
CREATE CONSTRAINT TRIGGER tell_change AFTER UPDATE ON internal.account_trouble
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN ((OLD.code, OLD.reason, OLD.told_at) IS DISTINCT FROM (NEW.code, NEW.reason, NEW.told_at))
    EXECUTE FUNCTION internal.tell_trouble();
CREATE CONSTRAINT TRIGGER tell_surely AFTER INSERT ON public.notifications
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_notice();
CREATE CONSTRAINT TRIGGER tell AFTER INSERT OR UPDATE ON public.instagram_webhook_subscriptions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_subscription();
CREATE CONSTRAINT TRIGGER tell AFTER UPDATE ON public.workspaces
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (OLD.social_platforms_config IS DISTINCT FROM NEW.social_platforms_config)
    EXECUTE FUNCTION internal.tell_itself();
-- What waits, and no more: the claim and an undisturbed send change no reason.
CREATE CONSTRAINT TRIGGER tell AFTER UPDATE ON internal.outbox
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    WHEN (NEW.channel = 'messages' AND NEW.workspace_id IS NOT NULL
          AND OLD.last_error IS DISTINCT FROM NEW.last_error)
    EXECUTE FUNCTION internal.tell_workspace();
