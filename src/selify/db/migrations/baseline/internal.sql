-- Support tables of the program itself. Schema `public` is the reference and nothing else, so what
-- the reference has no table for lives here. No user role ever sees this schema.

CREATE TABLE internal.outbox (
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    channel      text NOT NULL,
    key          text NOT NULL,
    lane         text NOT NULL,
    payload      jsonb NOT NULL DEFAULT '{}',
    state        text NOT NULL DEFAULT 'queued',
    attempts     integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL DEFAULT 8,
    not_before   timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    worker_id    text,
    result       jsonb,
    last_error   text,
    workspace_id uuid,
    account_id   uuid,
    trace_id     text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    sent_at      timestamptz,
    CONSTRAINT outbox_pkey PRIMARY KEY (id),
    CONSTRAINT outbox_channel_key_key UNIQUE (channel, key),
    CONSTRAINT outbox_state_check
        CHECK (state IN ('queued', 'sending', 'sent', 'failed', 'unknown', 'cancelled')),
    CONSTRAINT outbox_attempts_check CHECK (attempts BETWEEN 0 AND max_attempts),
    CONSTRAINT outbox_lease_check CHECK (state <> 'sending' OR leased_until IS NOT NULL),
    CONSTRAINT outbox_sent_check CHECK (state <> 'sent' OR sent_at IS NOT NULL)
);
COMMENT ON TABLE internal.outbox IS
    'What leaves the house, written in the transaction that decides it and sent after the commit. (channel, key) makes a second decision to send the same thing impossible.';
COMMENT ON COLUMN internal.outbox.lane IS
    'Rows of one lane leave one after another, in the order of their ids; a lane is usually one conversation.';
COMMENT ON COLUMN internal.outbox.state IS
    'queued -> sending -> sent | failed | unknown; cancelled before sending. unknown: the request left but no answer came, so it may have arrived; only evidence (an echo) may decide, never a blind resend.';
COMMENT ON COLUMN internal.outbox.leased_until IS
    'Until then the row belongs to worker_id. Later it belongs to whoever looks first: its worker has died.';
-- The claim: due rows, oldest first. Small, because rows leave it as soon as they are sent.
CREATE INDEX outbox_due_idx ON internal.outbox (not_before, id) WHERE state = 'queued';
-- Is anything before me in my lane?
CREATE INDEX outbox_lane_idx ON internal.outbox (lane, id)
    WHERE state IN ('queued', 'sending', 'unknown');
CREATE INDEX outbox_lease_idx ON internal.outbox (leased_until) WHERE state = 'sending';
CREATE INDEX outbox_workspace_idx ON internal.outbox (workspace_id, created_at DESC)
    WHERE workspace_id IS NOT NULL;
CREATE INDEX outbox_account_idx ON internal.outbox (account_id, created_at DESC)
    WHERE account_id IS NOT NULL;

-- Pictures that were paid for and did not leave. Small: a row leaves it when its charge is given back.
CREATE INDEX outbox_undelivered_idx ON internal.outbox (id)
    WHERE state IN ('failed', 'cancelled') AND payload ? 'charge_id';

CREATE TABLE internal.send_pace (
    account_id   uuid NOT NULL,
    free_at      timestamptz,
    last_turn    timestamptz,
    paused_until timestamptz,
    paused_for   interval,
    CONSTRAINT send_pace_pkey PRIMARY KEY (account_id),
    CONSTRAINT send_pace_account_fkey FOREIGN KEY (account_id)
        REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.send_pace IS
    'How fast an account may send, second by second, and whether the platform asked for a pause.';
COMMENT ON COLUMN internal.send_pace.free_at IS
    'When all sends so far would have left at the steady pace. A little ahead of now is a burst; further ahead, the next one waits.';
COMMENT ON COLUMN internal.send_pace.last_turn IS
    'The last turn given to a message that had to wait; the next one to wait comes after it.';
COMMENT ON COLUMN internal.send_pace.paused_for IS
    'How long the latest pause is; one that comes again soon after it is twice as long.';

CREATE TABLE internal.jobs (
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    kind         text NOT NULL,
    key          text NOT NULL,
    payload      jsonb NOT NULL DEFAULT '{}',
    state        text NOT NULL DEFAULT 'queued',
    checkpoint   jsonb NOT NULL DEFAULT '{}',
    attempts     integer NOT NULL DEFAULT 0,
    max_attempts integer NOT NULL DEFAULT 3,
    run_after    timestamptz NOT NULL DEFAULT now(),
    leased_until timestamptz,
    worker_id    text,
    last_error   text,
    workspace_id uuid,
    trace_id     text,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    started_at   timestamptz,
    finished_at  timestamptz,
    CONSTRAINT jobs_pkey PRIMARY KEY (id),
    CONSTRAINT jobs_kind_key_key UNIQUE (kind, key),
    CONSTRAINT jobs_state_check
        CHECK (state IN ('queued', 'running', 'done', 'failed', 'cancelled')),
    CONSTRAINT jobs_attempts_check CHECK (attempts BETWEEN 0 AND max_attempts + 1),
    CONSTRAINT jobs_lease_check CHECK (state <> 'running' OR leased_until IS NOT NULL)
);
COMMENT ON TABLE internal.jobs IS
    'Durable work: leased by a worker, retried when the worker dies, continued from its own checkpoint.';
COMMENT ON COLUMN internal.jobs.checkpoint IS
    'How far the work has come. Whichever engine runs the job, this is enough to go on.';
CREATE INDEX jobs_due_idx ON internal.jobs (run_after, id) WHERE state = 'queued';
CREATE INDEX jobs_lease_idx ON internal.jobs (leased_until) WHERE state = 'running';
CREATE INDEX jobs_workspace_idx ON internal.jobs (workspace_id, created_at DESC)
    WHERE workspace_id IS NOT NULL;

CREATE TABLE internal.idempotency_keys (
    scope_id     uuid NOT NULL,
    key          text NOT NULL,
    request_hash bytea NOT NULL,
    status       integer,
    response     jsonb,
    locked_until timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    expires_at   timestamptz NOT NULL DEFAULT now() + '24 hours'::interval,
    CONSTRAINT idempotency_keys_pkey PRIMARY KEY (scope_id, key),
    CONSTRAINT idempotency_keys_hash_check CHECK (octet_length(request_hash) = 32),
    CONSTRAINT idempotency_keys_status_check CHECK (status BETWEEN 100 AND 599),
    CONSTRAINT idempotency_keys_expiry_check CHECK (expires_at > created_at)
);
COMMENT ON TABLE internal.idempotency_keys IS
    'The answer to a request that may come twice. status is null while the first one is still being worked on.';
COMMENT ON COLUMN internal.idempotency_keys.request_hash IS
    'SHA-256 of the request: the same key with another request is a mistake of the caller, not a repeat.';
COMMENT ON COLUMN internal.idempotency_keys.scope_id IS
    'Whose keys: those of one scope (a user, a workspace) are not another''s.';
CREATE INDEX idempotency_keys_expiry_idx ON internal.idempotency_keys (expires_at);

CREATE TABLE internal.price_book (
    id              uuid NOT NULL DEFAULT gen_random_uuid(),
    meter           text NOT NULL,
    provider        text NOT NULL DEFAULT '',
    model           text NOT NULL DEFAULT '',
    unit            text NOT NULL,
    credits         integer NOT NULL,
    cost_micro      bigint NOT NULL,
    effective_from  timestamptz NOT NULL DEFAULT now(),
    effective_until timestamptz,
    note            text,
    created_at      timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT price_book_pkey PRIMARY KEY (id),
    CONSTRAINT price_book_credits_check CHECK (credits >= 0),
    CONSTRAINT price_book_cost_check CHECK (cost_micro >= 0),
    CONSTRAINT price_book_period_check CHECK (effective_until > effective_from),
    -- One price at a time. Equality inside an exclusion constraint would need btree_gist, which a
    -- plain server may not have; a range of one number, the hash of the three names, does the same.
    CONSTRAINT price_book_one_at_a_time_excl EXCLUDE USING gist (
        numrange(
            hashtextextended(meter || E'\n' || provider || E'\n' || model, 0)::numeric,
            hashtextextended(meter || E'\n' || provider || E'\n' || model, 0)::numeric,
            '[]'
        ) WITH &&,
        tstzrange(effective_from, effective_until) WITH &&
    )
);
COMMENT ON TABLE internal.price_book IS
    'What a meter costs the brand (credits) and us (cost_micro, 100,000 = $1.00), and since when. A price is never edited: it ends and another begins, so that every old charge can still explain itself.';
COMMENT ON COLUMN internal.price_book.provider IS
    'Empty: the price of any provider that has no price of its own.';

CREATE TABLE internal.charge_costs (
    event_id   uuid NOT NULL,
    engine     text NOT NULL,
    cost_micro bigint NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT charge_costs_pkey PRIMARY KEY (event_id),
    CONSTRAINT charge_costs_event_fkey FOREIGN KEY (event_id)
        REFERENCES public.workspace_usage_events (id) ON DELETE CASCADE,
    CONSTRAINT charge_costs_cost_check CHECK (cost_micro >= 0)
);
COMMENT ON TABLE internal.charge_costs IS
    'What a charge cost us (100,000 = $1.00), given back or not, and who was paid. Not a part of workspace_usage_events, whose rows the brand may read.';
COMMENT ON COLUMN internal.charge_costs.event_id IS
    'The charge''s first row, where it has two.';

CREATE TABLE internal.deletion_requests (
    confirmation_code text NOT NULL,
    platform          text NOT NULL,
    platform_user_id  text NOT NULL,
    state             text NOT NULL DEFAULT 'received',
    requested_at      timestamptz NOT NULL DEFAULT now(),
    completed_at      timestamptz,
    detail            jsonb NOT NULL DEFAULT '{}',
    CONSTRAINT deletion_requests_pkey PRIMARY KEY (confirmation_code),
    CONSTRAINT deletion_requests_state_check
        CHECK (state IN ('received', 'working', 'completed', 'failed')),
    CONSTRAINT deletion_requests_completed_check
        CHECK ((state = 'completed') = (completed_at IS NOT NULL))
);
COMMENT ON TABLE internal.deletion_requests IS
    'People who asked a platform to have their data deleted; the confirmation code lets them follow it.';
CREATE INDEX deletion_requests_open_idx ON internal.deletion_requests (requested_at)
    WHERE state IN ('received', 'working', 'failed');
CREATE INDEX deletion_requests_person_idx
    ON internal.deletion_requests (platform, platform_user_id);

CREATE TABLE internal.retention (
    object_key   text NOT NULL,
    workspace_id uuid,
    delete_after timestamptz NOT NULL,
    reason       text NOT NULL,
    failures     integer NOT NULL DEFAULT 0,
    retry_after  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT retention_pkey PRIMARY KEY (object_key)
);
COMMENT ON TABLE internal.retention IS
    'Stored files that must be gone by a certain time, above all photos of shoppers. The row is written before the file and removed after it, so that no file can outlive its row.';
COMMENT ON COLUMN internal.retention.retry_after IS
    'After a deletion that failed: when it is tried again, so that it does not stand before the others.';
CREATE INDEX retention_due_idx ON internal.retention (delete_after);
CREATE INDEX retention_workspace_idx ON internal.retention (workspace_id)
    WHERE workspace_id IS NOT NULL;

CREATE TABLE internal.invariant_findings (
    id          uuid NOT NULL DEFAULT gen_random_uuid(),
    invariant   text NOT NULL,
    subject     text NOT NULL,
    detail      jsonb NOT NULL DEFAULT '{}',
    found_at    timestamptz NOT NULL DEFAULT now(),
    resolved_at timestamptz,
    CONSTRAINT invariant_findings_pkey PRIMARY KEY (id),
    CONSTRAINT invariant_findings_resolved_check CHECK (resolved_at >= found_at)
);
COMMENT ON TABLE internal.invariant_findings IS
    'Where a business invariant did not hold when it was checked, until it holds again.';
-- One open finding per subject: a check that runs every hour does not tell the same thing 24 times.
CREATE UNIQUE INDEX invariant_findings_open_key ON internal.invariant_findings (invariant, subject)
    WHERE resolved_at IS NULL;

CREATE TABLE internal.routine_turns (
    routine  text NOT NULL,
    taken_at timestamptz NOT NULL,
    CONSTRAINT routine_turns_pkey PRIMARY KEY (routine)
);
COMMENT ON TABLE internal.routine_turns IS
    'When a worker last took the turn of a routine that one does for all of them.';

-- Signing in ------------------------------------------------------------------------------------------------------
-- auth.sessions may belong to a Supabase project, so what only this program knows of a session is kept here.

CREATE TABLE internal.session_secrets (
    session_id     uuid NOT NULL,
    current_hash   bytea NOT NULL,
    previous_hash  bytea,
    previous_until timestamptz,
    rotated_at     timestamptz NOT NULL,
    CONSTRAINT session_secrets_pkey PRIMARY KEY (session_id),
    CONSTRAINT session_secrets_session_fkey
        FOREIGN KEY (session_id) REFERENCES auth.sessions (id) ON DELETE CASCADE,
    CONSTRAINT session_secrets_current_key UNIQUE (current_hash),
    CONSTRAINT session_secrets_previous_key UNIQUE (previous_hash),
    CONSTRAINT session_secrets_hash_check
        CHECK (octet_length(current_hash) = 32 AND octet_length(previous_hash) = 32),
    CONSTRAINT session_secrets_previous_check
        CHECK (previous_until IS NULL OR previous_hash IS NOT NULL)
);
COMMENT ON TABLE internal.session_secrets IS
    'SHA-256 of the secret that a browser or program holds for its session. The secret itself is nowhere.';
COMMENT ON COLUMN internal.session_secrets.previous_until IS
    'Until when the secret before the last rotation is still accepted; null until the current one has been used, because the answer that carried it may have been lost.';

CREATE TABLE internal.sign_in_attempts (
    subject     bytea NOT NULL,
    attempts    integer NOT NULL,
    window_ends timestamptz NOT NULL,
    CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (subject),
    CONSTRAINT sign_in_attempts_subject_check CHECK (octet_length(subject) = 32),
    CONSTRAINT sign_in_attempts_attempts_check CHECK (attempts >= 0)
);
COMMENT ON TABLE internal.sign_in_attempts IS
    'How often a sign-in was tried lately, by SHA-256 of who tried (an e-mail address, a network address, or both together).';
CREATE INDEX sign_in_attempts_window_idx ON internal.sign_in_attempts (window_ends);
