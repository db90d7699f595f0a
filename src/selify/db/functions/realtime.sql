-- What the reference calls realtime: whole old rows in the log of changes, the publication that Supabase's
-- own listener reads, and a word on selify_realtime for ours (`GET /api/v1/realtime`).
--
-- Unlike the hints of notifications.sql none of these is ever left out: a subscriber is told of every change.
-- That makes the transactions that write such a row commit one after another, so only tables that are
-- seldom written are published. The row does not travel: whoever is told looks, under row level security.
--
-- workspace_events is not published (its comment says so), and temporal_workflows neither: it has no row
-- level security, its progress is served through the API.

ALTER TABLE public.oauth_audit_logs REPLICA IDENTITY FULL;
ALTER TABLE public.workspace_auto_reload_settings REPLICA IDENTITY FULL;
ALTER TABLE public.workspace_financial_transactions REPLICA IDENTITY FULL;

CREATE OR REPLACE FUNCTION internal.tell_subscribers() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    changed CONSTANT jsonb := to_jsonb(CASE TG_OP WHEN 'DELETE' THEN OLD ELSE NEW END);
BEGIN
    PERFORM pg_notify('selify_realtime', jsonb_build_object(
        'workspace_id', changed -> 'workspace_id', 'table', TG_TABLE_NAME, 'op', TG_OP,
        'key', jsonb_build_object(TG_ARGV[0], changed -> TG_ARGV[0]), 'at', now())::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION internal.tell_subscribers() IS
    'Every change of a published table, at its commit. The argument names the key.';
REVOKE ALL ON FUNCTION internal.tell_subscribers() FROM PUBLIC;

DROP TRIGGER IF EXISTS tell_subscribers ON public.oauth_audit_logs;
CREATE CONSTRAINT TRIGGER tell_subscribers AFTER INSERT OR UPDATE OR DELETE ON public.oauth_audit_logs
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_subscribers('id');
DROP TRIGGER IF EXISTS tell_subscribers ON public.workspace_auto_reload_settings;
CREATE CONSTRAINT TRIGGER tell_subscribers
    AFTER INSERT OR UPDATE OR DELETE ON public.workspace_auto_reload_settings
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW
    EXECUTE FUNCTION internal.tell_subscribers('workspace_id');
DROP TRIGGER IF EXISTS tell_subscribers ON public.workspace_financial_transactions;
CREATE CONSTRAINT TRIGGER tell_subscribers
    AFTER INSERT OR UPDATE OR DELETE ON public.workspace_financial_transactions
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION internal.tell_subscribers('id');

-- Whose right to listen may have ended is asked again at once, without waiting for the next change: by open
-- pages (selify_changes) and by subscribers (selify_realtime). No such word is ever left out, and whatever is
-- committed after it is told after it.
CREATE OR REPLACE FUNCTION internal.tell_rights_changed() RETURNS trigger
    LANGUAGE plpgsql SET search_path = ''
    AS $$
DECLARE
    said CONSTANT text := jsonb_build_object('workspace_id', to_jsonb(OLD) -> TG_ARGV[0])::text;
BEGIN
    PERFORM pg_notify('selify_realtime', said),
            pg_notify('selify_changes', (said::jsonb || '{"table": "rights"}')::text);
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION internal.tell_rights_changed() IS
    'A membership or a workspace has ended. The argument names the column of the workspace.';

CREATE OR REPLACE FUNCTION internal.tell_sign_in_ended() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    PERFORM pg_notify('selify_realtime', said::text),
            pg_notify('selify_changes', (said || '{"table": "rights"}')::text)
    FROM public.workspace_members m, jsonb_build_object('workspace_id', m.workspace_id) AS said
    WHERE m.user_id = (to_jsonb(OLD) ->> TG_ARGV[0])::uuid;
    RETURN NULL;
END
$$;
COMMENT ON FUNCTION internal.tell_sign_in_ended() IS
    'A session has ended, or somebody was banned or deleted: told in each of their workspaces. The argument names the column of the user.';
REVOKE ALL ON FUNCTION internal.tell_sign_in_ended() FROM PUBLIC;

-- Like those of profiles.sql, on tables that may belong to Supabase.
CREATE OR REPLACE TRIGGER selify_tell_sign_in_ended AFTER DELETE OR UPDATE OF not_after ON auth.sessions
    FOR EACH ROW EXECUTE FUNCTION internal.tell_sign_in_ended('user_id');
CREATE OR REPLACE TRIGGER selify_tell_sign_in_ended AFTER UPDATE OF banned_until, deleted_at ON auth.users
    FOR EACH ROW EXECUTE FUNCTION internal.tell_sign_in_ended('id');

CREATE OR REPLACE TRIGGER tell_rights_changed AFTER UPDATE OF deleted_at ON public.workspaces
    FOR EACH ROW WHEN (NEW.deleted_at IS NOT NULL)
    EXECUTE FUNCTION internal.tell_rights_changed('id');
CREATE OR REPLACE TRIGGER tell_rights_changed
    AFTER DELETE OR UPDATE OF workspace_id, user_id, joined_at, expires_at
    ON public.workspace_members FOR EACH ROW
    EXECUTE FUNCTION internal.tell_rights_changed('workspace_id');

-- On a Supabase project the publication is there, and may belong to somebody else.
DO $$
DECLARE
    named regclass;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_publication WHERE pubname = 'supabase_realtime') THEN
        CREATE PUBLICATION supabase_realtime;
    END IF;
    FOR named IN
        SELECT c.oid FROM pg_class c
        WHERE c.oid IN ('public.oauth_audit_logs'::regclass,
                        'public.workspace_auto_reload_settings'::regclass,
                        'public.workspace_financial_transactions'::regclass)
          AND NOT EXISTS (SELECT FROM pg_publication_tables p WHERE p.pubname = 'supabase_realtime'
                          AND p.schemaname = 'public' AND p.tablename = c.relname)
    LOOP
        EXECUTE format('ALTER PUBLICATION supabase_realtime ADD TABLE %s', named);
    END LOOP;
    IF EXISTS (SELECT FROM pg_publication_rel r JOIN pg_publication p ON p.oid = r.prpubid
               WHERE p.pubname = 'supabase_realtime'
                 AND r.prrelid = 'public.workspace_events'::regclass) THEN
        ALTER PUBLICATION supabase_realtime DROP TABLE public.workspace_events;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE WARNING 'The publication supabase_realtime is not ours to change: have its owner add'
        ' oauth_audit_logs, workspace_auto_reload_settings and workspace_financial_transactions.';
END
$$;
