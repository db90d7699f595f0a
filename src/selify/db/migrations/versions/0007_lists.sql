-- The reference fixes every index of schema public. Where a list or a figure of a page has none that
-- serves it, it is read from a small table here, which a trigger keeps: right whoever wrote the row.

-- Conversations that wait ---------------------------------------------------------------------------
-- A row only for as long as somebody has to look: few, of however many conversations there are.

CREATE TABLE internal.waiting_conversations (
    conversation_id uuid NOT NULL,
    workspace_id    uuid NOT NULL,
    last_message_at timestamptz NOT NULL,
    human           boolean NOT NULL,
    unread          boolean NOT NULL,
    CONSTRAINT waiting_conversations_pkey PRIMARY KEY (conversation_id),
    CONSTRAINT waiting_conversations_conversation_fkey FOREIGN KEY (conversation_id)
        REFERENCES public.social_conversations (id) ON DELETE CASCADE,
    CONSTRAINT waiting_conversations_reason_check CHECK (human OR unread)
);
COMMENT ON TABLE internal.waiting_conversations IS
    'Conversations in which a person answers, or something is unread. Kept by a trigger of social_conversations.';
COMMENT ON COLUMN internal.waiting_conversations.last_message_at IS
    'As in the conversation; -infinity where nothing was said yet, so that it comes last.';
CREATE INDEX waiting_conversations_human_idx
    ON internal.waiting_conversations (workspace_id, last_message_at DESC, conversation_id DESC)
    WHERE human;
CREATE INDEX waiting_conversations_unread_idx
    ON internal.waiting_conversations (workspace_id, last_message_at DESC, conversation_id DESC)
    WHERE unread;

CREATE FUNCTION internal.needs_human(conversation_state jsonb) RETURNS boolean
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = ''
    AS $$ SELECT coalesce(conversation_state ->> 'handler' = 'human', false) $$;
COMMENT ON FUNCTION internal.needs_human(jsonb) IS
    'Whether a person answers this conversation, or should.';

CREATE FUNCTION internal.keep_waiting_conversation() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF internal.needs_human(NEW.conversation_state) OR NEW.unread_count > 0 THEN
        INSERT INTO internal.waiting_conversations AS known
        VALUES (NEW.id, NEW.workspace_id, coalesce(NEW.last_message_at, '-infinity'),
                internal.needs_human(NEW.conversation_state), coalesce(NEW.unread_count > 0, false))
        ON CONFLICT (conversation_id) DO UPDATE
           SET workspace_id = excluded.workspace_id, last_message_at = excluded.last_message_at,
               human = excluded.human, unread = excluded.unread
         WHERE (known.*) IS DISTINCT FROM (excluded.*);
    ELSE
        DELETE FROM internal.waiting_conversations WHERE conversation_id = NEW.id;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.keep_waiting_conversation() FROM PUBLIC;

CREATE TRIGGER keep_waiting AFTER INSERT ON public.social_conversations FOR EACH ROW
    WHEN (NEW.conversation_state ->> 'handler' = 'human' OR NEW.unread_count > 0)
    EXECUTE FUNCTION internal.keep_waiting_conversation();
CREATE TRIGGER keep_waiting_on AFTER UPDATE ON public.social_conversations FOR EACH ROW
    WHEN (NEW.conversation_state ->> 'handler' = 'human' OR NEW.unread_count > 0
          OR OLD.conversation_state ->> 'handler' = 'human' OR OLD.unread_count > 0)
    EXECUTE FUNCTION internal.keep_waiting_conversation();

-- The wardrobe --------------------------------------------------------------------------------------

CREATE TABLE internal.garment_shelf (
    garment_id   uuid NOT NULL,
    workspace_id uuid NOT NULL,
    archived     boolean NOT NULL,
    created_at   timestamptz NOT NULL,
    CONSTRAINT garment_shelf_pkey PRIMARY KEY (garment_id),
    CONSTRAINT garment_shelf_garment_fkey FOREIGN KEY (garment_id)
        REFERENCES public.wardrobe_garments (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.garment_shelf IS
    'Each garment''s place in its brand''s wardrobe: in use or put away, newest first. Kept by a trigger of wardrobe_garments.';
CREATE INDEX garment_shelf_newest_idx
    ON internal.garment_shelf (workspace_id, archived, created_at DESC, garment_id DESC);

CREATE TABLE internal.garment_words (
    workspace_id uuid NOT NULL,
    word         text COLLATE "C" NOT NULL,
    garment_id   uuid NOT NULL,
    CONSTRAINT garment_words_pkey PRIMARY KEY (workspace_id, word, garment_id),
    CONSTRAINT garment_words_garment_fkey FOREIGN KEY (garment_id)
        REFERENCES public.wardrobe_garments (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.garment_words IS
    'The words by which a garment in use is found: of its name and its number. By the bytes (COLLATE "C"), so that the index also finds beginnings of words.';
CREATE INDEX garment_words_garment_idx ON internal.garment_words (garment_id, word);

CREATE FUNCTION internal.words_of(said text) RETURNS SETOF text
    LANGUAGE sql IMMUTABLE SET search_path = ''
    AS $$
    SELECT DISTINCT left(word, 60)
    FROM regexp_split_to_table(lower(left(said, 1000)), '[\s!-/:-@\[-`{-~]+') AS word
    WHERE word <> ''
    LIMIT 40
$$;
COMMENT ON FUNCTION internal.words_of(text) IS
    'What somebody wrote, in words as garment_words has them. Signs and spaces end a word.';

CREATE FUNCTION internal.shelve_garment() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    is_archived constant boolean := coalesce(NEW.metadata, '{}') ? 'archived_at';
BEGIN
    INSERT INTO internal.garment_shelf
    VALUES (NEW.id, NEW.workspace_id, is_archived, coalesce(NEW.created_at, '-infinity'))
    ON CONFLICT (garment_id) DO UPDATE
       SET workspace_id = excluded.workspace_id, archived = excluded.archived,
           created_at = excluded.created_at;
    DELETE FROM internal.garment_words WHERE garment_id = NEW.id;
    IF NOT is_archived THEN
        INSERT INTO internal.garment_words
        SELECT NEW.workspace_id, word, NEW.id
        FROM internal.words_of(concat_ws(' ', coalesce(NEW.name, NEW.filename), NEW.sku)) AS word;
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.shelve_garment() FROM PUBLIC;

CREATE TRIGGER shelve AFTER INSERT ON public.wardrobe_garments
    FOR EACH ROW EXECUTE FUNCTION internal.shelve_garment();
CREATE TRIGGER shelve_again AFTER UPDATE ON public.wardrobe_garments FOR EACH ROW
    WHEN ((OLD.workspace_id, OLD.name, OLD.filename, OLD.sku, OLD.metadata, OLD.created_at)
          IS DISTINCT FROM
          (NEW.workspace_id, NEW.name, NEW.filename, NEW.sku, NEW.metadata, NEW.created_at))
    EXECUTE FUNCTION internal.shelve_garment();

-- Days that are over --------------------------------------------------------------------------------
-- Figures of a day are counted once and kept. A row that changes an old day marks it as not counted:
-- then it is read from the rows themselves until it is counted again. So a page is right at any moment.
--
-- A day is counted two hours after its end at the earliest, and whoever writes to a day within an hour
-- need not mark it: the common case costs nothing. Older rows take a shared lock of the day; who counts
-- takes it alone, or leaves the day for the next time.

CREATE TABLE internal.funnel_days (
    account_id uuid NOT NULL,
    day        date NOT NULL,
    triggers   integer NOT NULL DEFAULT 0,
    answered   integer NOT NULL DEFAULT 0,
    photos     integer NOT NULL DEFAULT 0,
    tried_on   integer NOT NULL DEFAULT 0,
    liked      integer NOT NULL DEFAULT 0,
    counted_at timestamptz,
    CONSTRAINT funnel_days_pkey PRIMARY KEY (account_id, day),
    CONSTRAINT funnel_days_account_fkey FOREIGN KEY (account_id)
        REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.funnel_days IS
    'How many interactions that began on a day (UTC) got how far.';
COMMENT ON COLUMN internal.funnel_days.counted_at IS 'Null: the day has to be counted (again).';
CREATE INDEX funnel_days_counted_idx ON internal.funnel_days (counted_at, day);

CREATE TABLE internal.spend_days (
    workspace_id uuid NOT NULL,
    day          date NOT NULL,
    from_week    bigint NOT NULL DEFAULT 0,
    from_payg    bigint NOT NULL DEFAULT 0,
    counted_at   timestamptz,
    CONSTRAINT spend_days_pkey PRIMARY KEY (workspace_id, day),
    CONSTRAINT spend_days_workspace_fkey FOREIGN KEY (workspace_id)
        REFERENCES public.workspaces (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.spend_days IS
    'Credits that a workspace spent on a day (UTC), without what was given back, by who paid.';
COMMENT ON COLUMN internal.spend_days.counted_at IS 'Null: the day has to be counted (again).';
CREATE INDEX spend_days_counted_idx ON internal.spend_days (counted_at, day);

CREATE FUNCTION internal.day_lock(owner uuid, day date) RETURNS bigint
    LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = ''
    AS $$ SELECT hashtextextended('counted day ' || owner || ' ' || (day - date '2000-01-01'), 0) $$;
COMMENT ON FUNCTION internal.day_lock(uuid, date) IS
    'The advisory lock between whoever changes an old day and whoever counts it.';

CREATE FUNCTION internal.recount_funnel_day(account uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    of_day constant date := (at AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(internal.day_lock(account, of_day));
    UPDATE internal.funnel_days SET counted_at = NULL
     WHERE account_id = account AND day = of_day AND counted_at IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.recount_funnel_day(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION internal.recount_spend_day(workspace uuid, at timestamptz) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
DECLARE
    of_day constant date := (at AT TIME ZONE 'UTC')::date;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(internal.day_lock(workspace, of_day));
    UPDATE internal.spend_days SET counted_at = NULL
     WHERE workspace_id = workspace AND day = of_day AND counted_at IS NOT NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.recount_spend_day(uuid, timestamptz) FROM PUBLIC;

CREATE FUNCTION internal.mark_funnel_day() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM internal.recount_funnel_day(OLD.account_id, OLD.created_at);
    END IF;
    IF TG_OP = 'INSERT'
        OR TG_OP = 'UPDATE' AND (NEW.account_id, NEW.created_at)
                                IS DISTINCT FROM (OLD.account_id, OLD.created_at)
    THEN
        PERFORM internal.recount_funnel_day(NEW.account_id, NEW.created_at);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.mark_funnel_day() FROM PUBLIC;

CREATE FUNCTION internal.mark_spend_day() RETURNS trigger
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    IF TG_OP <> 'INSERT' THEN
        PERFORM internal.recount_spend_day(OLD.workspace_id, OLD.created_at);
    END IF;
    IF TG_OP = 'INSERT'
        OR TG_OP = 'UPDATE' AND (NEW.workspace_id, NEW.created_at)
                                IS DISTINCT FROM (OLD.workspace_id, OLD.created_at)
    THEN
        PERFORM internal.recount_spend_day(NEW.workspace_id, NEW.created_at);
    END IF;
    RETURN NULL;
END
$$;
REVOKE ALL ON FUNCTION internal.mark_spend_day() FROM PUBLIC;

CREATE TRIGGER mark_day AFTER INSERT ON public.bot_interactions FOR EACH ROW
    WHEN (NEW.created_at < now() - interval '1 hour')
    EXECUTE FUNCTION internal.mark_funnel_day();
CREATE TRIGGER mark_day_again AFTER UPDATE ON public.bot_interactions FOR EACH ROW
    WHEN (least(OLD.created_at, NEW.created_at) < now() - interval '1 hour')
    EXECUTE FUNCTION internal.mark_funnel_day();
CREATE TRIGGER mark_day_without AFTER DELETE ON public.bot_interactions FOR EACH ROW
    WHEN (OLD.created_at < now() - interval '1 hour')
    EXECUTE FUNCTION internal.mark_funnel_day();

CREATE TRIGGER mark_day AFTER INSERT ON public.workspace_usage_events FOR EACH ROW
    WHEN (NEW.created_at < now() - interval '1 hour')
    EXECUTE FUNCTION internal.mark_spend_day();
-- Settling changes no sum: what is reserved counts already.
CREATE TRIGGER mark_day_again AFTER UPDATE ON public.workspace_usage_events FOR EACH ROW
    WHEN (least(OLD.created_at, NEW.created_at) < now() - interval '1 hour'
          AND (OLD.status = 'refunded', OLD.cost_credits, OLD.cost_source, OLD.workspace_id,
               OLD.created_at)
              IS DISTINCT FROM
              (NEW.status = 'refunded', NEW.cost_credits, NEW.cost_source, NEW.workspace_id,
               NEW.created_at))
    EXECUTE FUNCTION internal.mark_spend_day();
CREATE TRIGGER mark_day_without AFTER DELETE ON public.workspace_usage_events FOR EACH ROW
    WHEN (OLD.created_at < now() - interval '1 hour')
    EXECUTE FUNCTION internal.mark_spend_day();

-- The rows that were there before; also for whoever loaded some while triggers stood aside ------------

CREATE FUNCTION internal.rebuild_lists() RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = ''
    AS $$
BEGIN
    DELETE FROM internal.waiting_conversations;
    INSERT INTO internal.waiting_conversations
    SELECT id, workspace_id, coalesce(last_message_at, '-infinity'),
           internal.needs_human(conversation_state), coalesce(unread_count > 0, false)
      FROM public.social_conversations
     WHERE internal.needs_human(conversation_state) OR unread_count > 0;
    DELETE FROM internal.garment_shelf;
    INSERT INTO internal.garment_shelf
    SELECT id, workspace_id, coalesce(metadata, '{}') ? 'archived_at', coalesce(created_at, '-infinity')
      FROM public.wardrobe_garments;
    DELETE FROM internal.garment_words;
    INSERT INTO internal.garment_words
    SELECT g.workspace_id, word, g.id
      FROM public.wardrobe_garments g,
           internal.words_of(concat_ws(' ', coalesce(g.name, g.filename), g.sku)) AS word
     WHERE NOT coalesce(g.metadata, '{}') ? 'archived_at';
    UPDATE internal.funnel_days SET counted_at = NULL WHERE counted_at IS NOT NULL;
    UPDATE internal.spend_days SET counted_at = NULL WHERE counted_at IS NOT NULL;
END
$$;
COMMENT ON FUNCTION internal.rebuild_lists() IS
    'All of the above from the rows themselves, after loading them without triggers.';
REVOKE ALL ON FUNCTION internal.rebuild_lists() FROM PUBLIC;

SELECT internal.rebuild_lists();
