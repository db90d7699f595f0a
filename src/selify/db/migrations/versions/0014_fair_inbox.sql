-- Events that wait to be handled, as the inbox takes them: from one account to the next, and the longest
-- due of each. The reference has no index for that. Right whoever writes an event: triggers keep it.

CREATE TABLE internal.waiting_events (
    event_id uuid NOT NULL,
    owner    uuid NOT NULL,
    again    boolean NOT NULL,
    due_at   timestamptz NOT NULL,
    CONSTRAINT waiting_events_pkey PRIMARY KEY (event_id)
);
COMMENT ON TABLE internal.waiting_events IS
    'Turns between accounts: a row for each event that waits, gone when a worker takes the event. Kept by triggers of webhook_events.';
COMMENT ON COLUMN internal.waiting_events.owner IS
    'The account it came for. What belongs to none has a turn of its own.';
COMMENT ON COLUMN internal.waiting_events.again IS
    'Whether it failed before. What never did is due whatever a worker''s clock says.';
COMMENT ON COLUMN internal.waiting_events.due_at IS
    'When it came; of a failed one, when it is tried again.';
CREATE INDEX waiting_events_turn_idx ON internal.waiting_events (again, owner, due_at, event_id);

CREATE FUNCTION internal.keep_waiting_events() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    INSERT INTO internal.waiting_events (event_id, owner, again, due_at)
    SELECT id, coalesce(connected_account_id, '00000000-0000-0000-0000-000000000000'),
           status = 'failed', CASE status WHEN 'failed' THEN next_retry_at ELSE created_at END
      FROM arrived
     WHERE status = 'pending'
        OR status = 'failed' AND retry_count < max_retries AND next_retry_at IS NOT NULL;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.keep_waiting_events() FROM PUBLIC;

CREATE FUNCTION internal.keep_waiting_event() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF NEW.status = 'pending'
       OR NEW.retry_count < NEW.max_retries AND NEW.next_retry_at IS NOT NULL
    THEN
        INSERT INTO internal.waiting_events (event_id, owner, again, due_at)
        VALUES (NEW.id, coalesce(NEW.connected_account_id, '00000000-0000-0000-0000-000000000000'),
                NEW.status = 'failed',
                CASE NEW.status WHEN 'failed' THEN NEW.next_retry_at ELSE NEW.created_at END)
        ON CONFLICT (event_id) DO UPDATE
           SET owner = excluded.owner, again = excluded.again, due_at = excluded.due_at;
    ELSE
        DELETE FROM internal.waiting_events WHERE event_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.keep_waiting_event() FROM PUBLIC;

CREATE TRIGGER keep_waiting AFTER INSERT ON public.webhook_events
    REFERENCING NEW TABLE AS arrived FOR EACH STATEMENT
    EXECUTE FUNCTION internal.keep_waiting_events();
-- Who takes an event deletes its row, in one statement for many.
CREATE TRIGGER keep_waiting_on AFTER UPDATE ON public.webhook_events FOR EACH ROW
    WHEN (NEW.status IN ('pending', 'failed')
          AND (OLD.status, OLD.connected_account_id, OLD.next_retry_at, OLD.retry_count)
              IS DISTINCT FROM
              (NEW.status, NEW.connected_account_id, NEW.next_retry_at, NEW.retry_count))
    EXECUTE FUNCTION internal.keep_waiting_event();

CREATE FUNCTION internal.rebuild_waiting_events() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    DELETE FROM internal.waiting_events;
    INSERT INTO internal.waiting_events (event_id, owner, again, due_at)
    SELECT id, coalesce(connected_account_id, '00000000-0000-0000-0000-000000000000'),
           status = 'failed', CASE status WHEN 'failed' THEN next_retry_at ELSE created_at END
      FROM public.webhook_events
     WHERE status = 'pending'
        OR status = 'failed' AND retry_count < max_retries AND next_retry_at IS NOT NULL;
END
$$;
COMMENT ON FUNCTION internal.rebuild_waiting_events() IS
    'All turns from the events themselves, after loading them without triggers.';
REVOKE ALL ON FUNCTION internal.rebuild_waiting_events() FROM PUBLIC;

SELECT internal.rebuild_waiting_events();
