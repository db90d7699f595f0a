-- Domain ops: the inbox of webhook events, notifications, support, workflows, and the QA runner.
-- Keys and indexes stand in the order in which the reference prints them, the order of their making;
-- where an index or another key comes before the primary key, that one is added after the table.
-- Foreign keys and checks are in constraints.sql, triggers in triggers.sql.

-- The reference names these types and two of their values; the rest is ours.
CREATE TYPE public.qa_target_app AS ENUM (
    'dash.selify.ai', 'admin.selify.ai', 'selify.ai', 'vr.selify.ai', 'api.selify.ai', 'jko.ai'
);
CREATE TYPE public.qa_spec_status AS ENUM ('draft', 'active', 'quarantined', 'archived');
CREATE TYPE public.qa_run_status AS ENUM (
    'queued', 'running', 'passed', 'failed', 'cancelled', 'error'
);
CREATE TYPE public.qa_result_status AS ENUM (
    'pending', 'running', 'passed', 'failed', 'skipped', 'flaky', 'healed', 'error'
);

CREATE TABLE public.contact_email_log (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    contact_submission_id uuid,
    email_type            text NOT NULL,
    sent_to               text NOT NULL,
    sent_at               timestamptz NOT NULL DEFAULT timezone('utc', now()),
    subject               text,
    status                text DEFAULT 'sent',
    error_message         text,
    metadata              jsonb DEFAULT '{}',
    CONSTRAINT contact_email_log_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.contact_email_log IS
    'Tracks auto-response and notification emails sent by the backend';
CREATE INDEX idx_contact_email_log_sent_at ON public.contact_email_log (sent_at DESC);
CREATE INDEX idx_contact_email_log_submission ON public.contact_email_log (contact_submission_id);
ALTER TABLE public.contact_email_log ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.contact_submissions (
    id                    uuid NOT NULL DEFAULT gen_random_uuid(),
    name                  text NOT NULL,
    email                 text NOT NULL,
    message               text NOT NULL,
    created_at            timestamptz NOT NULL DEFAULT timezone('utc', now()),
    status                text DEFAULT 'new',
    notes                 text,
    ip_address            text,
    user_agent            text,
    source                text DEFAULT 'jko.ai',
    auto_response_sent    boolean DEFAULT false,
    auto_response_sent_at timestamptz,
    replied_at            timestamptz,
    replied_by            uuid,
    CONSTRAINT contact_submissions_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.contact_submissions IS
    'Contact form submissions from jko.ai, managed by api.jko.ai:8443 backend';
CREATE INDEX idx_contact_submissions_created_at ON public.contact_submissions (created_at DESC);
CREATE INDEX idx_contact_submissions_email ON public.contact_submissions (email);
CREATE INDEX idx_contact_submissions_source ON public.contact_submissions (source);
CREATE INDEX idx_contact_submissions_status ON public.contact_submissions (status);
ALTER TABLE public.contact_submissions ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.notifications (
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id      uuid NOT NULL,
    workspace_id uuid,
    type         text NOT NULL,
    title        text NOT NULL,
    description  text,
    action_url   text,
    metadata     jsonb DEFAULT '{}',
    read_at      timestamptz,
    archived_at  timestamptz,
    created_at   timestamptz NOT NULL DEFAULT now(),
    updated_at   timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT notifications_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.notifications IS
    'Unified notification system for workspace and system events';
CREATE INDEX idx_notifications_created_at ON public.notifications (created_at DESC);
CREATE INDEX idx_notifications_dashboard
    ON public.notifications (user_id, workspace_id, created_at DESC)
    WHERE ((read_at IS NULL) AND (archived_at IS NULL));
CREATE INDEX idx_notifications_type ON public.notifications (type);
CREATE INDEX idx_notifications_user_id ON public.notifications (user_id);
CREATE INDEX idx_notifications_user_unread
    ON public.notifications (user_id, read_at) WHERE (read_at IS NULL);
CREATE INDEX idx_notifications_workspace_id ON public.notifications (workspace_id);
ALTER TABLE public.notifications ENABLE ROW LEVEL SECURITY;

-- Payment events already handled, written in the same transaction as their effect.
CREATE TABLE public.processed_webhook_events (
    event_id     text NOT NULL,
    processed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT processed_webhook_events_pkey PRIMARY KEY (event_id)
);
COMMENT ON TABLE public.processed_webhook_events IS
    'Tracks processed Stripe webhook event IDs to prevent duplicate processing';
COMMENT ON COLUMN public.processed_webhook_events.event_id IS
    'Stripe event ID (e.g., evt_xxx)';
COMMENT ON COLUMN public.processed_webhook_events.processed_at IS
    'When the event was processed';
CREATE INDEX idx_webhook_events_cleanup ON public.processed_webhook_events (processed_at);
CREATE INDEX idx_processed_webhook_events_event ON public.processed_webhook_events (event_id);
ALTER TABLE public.processed_webhook_events ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.qa_test_results (
    id                   uuid NOT NULL DEFAULT gen_random_uuid(),
    run_id               uuid NOT NULL,
    spec_id              uuid NOT NULL,
    status               qa_result_status NOT NULL,
    started_at           timestamptz,
    completed_at         timestamptz,
    duration_ms          integer,
    attempt_number       integer DEFAULT 1,
    total_attempts       integer DEFAULT 1,
    error_message        text,
    error_stack          text,
    error_screenshot_url text,
    failure_step         text,
    was_healed           boolean DEFAULT false,
    heal_reason          text,
    original_code        text,
    healed_code          text,
    healer_confidence    numeric(3,2),
    visual_diff_url      text,
    visual_diff_percent  numeric(5,2),
    visual_passed        boolean,
    screenshot_url       text,
    video_url            text,
    trace_url            text,
    console_logs         jsonb,
    network_logs         jsonb,
    metadata             jsonb DEFAULT '{}',
    created_at           timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT qa_test_results_pkey PRIMARY KEY (id)
);
CREATE INDEX idx_qa_results_run ON public.qa_test_results (run_id, status);
CREATE INDEX idx_qa_results_spec ON public.qa_test_results (spec_id, created_at DESC);
CREATE INDEX idx_qa_results_healed ON public.qa_test_results (was_healed) WHERE (was_healed = true);
ALTER TABLE public.qa_test_results ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.qa_test_runs (
    id                 uuid NOT NULL DEFAULT gen_random_uuid(),
    run_number         serial NOT NULL,
    name               text,
    description        text,
    status             qa_run_status NOT NULL DEFAULT 'queued',
    target_app         qa_target_app,
    environment        text DEFAULT 'staging',
    base_url           text,
    triggered_by       uuid,
    trigger_type       text DEFAULT 'manual',
    trigger_ref        text,
    spec_ids           uuid[],
    tags               text[],
    started_at         timestamptz,
    completed_at       timestamptz,
    duration_ms        integer,
    total_specs        integer DEFAULT 0,
    passed_count       integer DEFAULT 0,
    failed_count       integer DEFAULT 0,
    skipped_count      integer DEFAULT 0,
    healed_count       integer DEFAULT 0,
    flaky_count        integer DEFAULT 0,
    auto_heals_applied integer DEFAULT 0,
    heal_details       jsonb DEFAULT '[]',
    report_url         text,
    trace_url          text,
    video_url          text,
    error_message      text,
    error_stack        text,
    git_branch         text,
    git_commit         text,
    git_message        text,
    metadata           jsonb DEFAULT '{}',
    created_at         timestamptz NOT NULL DEFAULT now(),
    updated_at         timestamptz NOT NULL DEFAULT now(),
    git_workflow_id    text,
    git_repo           text,
    git_push_sha       text,
    CONSTRAINT qa_test_runs_pkey PRIMARY KEY (id),
    CONSTRAINT qa_test_runs_run_number_key UNIQUE (run_number)
);
CREATE INDEX idx_qa_runs_status ON public.qa_test_runs (status);
CREATE INDEX idx_qa_runs_target ON public.qa_test_runs (target_app);
CREATE INDEX idx_qa_runs_created ON public.qa_test_runs (created_at DESC);
CREATE INDEX idx_qa_runs_trigger ON public.qa_test_runs (trigger_type, trigger_ref);
CREATE INDEX idx_qa_runs_workflow
    ON public.qa_test_runs (git_workflow_id) WHERE (git_workflow_id IS NOT NULL);
ALTER TABLE public.qa_test_runs ENABLE ROW LEVEL SECURITY;

CREATE TABLE public.qa_test_specs (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    spec_number         serial NOT NULL,
    name                text NOT NULL,
    description         text,
    target_app          qa_target_app NOT NULL DEFAULT 'dash.selify.ai',
    target_url          text,
    nl_spec             text NOT NULL,
    generated_code      text,
    generated_at        timestamptz,
    generated_by        text,
    generation_model    text,
    spec_file_path      text,
    test_file_path      text,
    status              qa_spec_status NOT NULL DEFAULT 'draft',
    tags                text[] DEFAULT '{}',
    category            text,
    priority            integer DEFAULT 50,
    timeout_ms          integer DEFAULT 30000,
    retries             integer DEFAULT 2,
    browser             text DEFAULT 'chromium',
    viewport_width      integer DEFAULT 1280,
    viewport_height     integer DEFAULT 720,
    depends_on          uuid[],
    setup_spec_id       uuid,
    heal_count          integer DEFAULT 0,
    last_healed_at      timestamptz,
    heal_history        jsonb DEFAULT '[]',
    flaky_score         numeric(5,2) DEFAULT 0,
    consecutive_passes  integer DEFAULT 0,
    consecutive_fails   integer DEFAULT 0,
    visual_baseline_url text,
    visual_threshold    numeric(3,2) DEFAULT 0.01,
    created_by          uuid,
    metadata            jsonb DEFAULT '{}',
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    last_run_at         timestamptz,
    deleted_at          timestamptz,
    trigger_on_repos    text[] DEFAULT '{}',
    run_on_push         boolean DEFAULT false,
    push_priority       integer DEFAULT 100,
    push_timeout_ms     integer DEFAULT 60000,
    CONSTRAINT qa_test_specs_pkey PRIMARY KEY (id),
    CONSTRAINT qa_test_specs_spec_number_key UNIQUE (spec_number)
);
CREATE INDEX idx_qa_specs_status ON public.qa_test_specs (status) WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_target ON public.qa_test_specs (target_app) WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_category ON public.qa_test_specs (category) WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_tags ON public.qa_test_specs USING gin (tags) WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_flaky
    ON public.qa_test_specs (flaky_score DESC)
    WHERE ((deleted_at IS NULL) AND (flaky_score > (10)::numeric));
CREATE INDEX idx_qa_specs_priority
    ON public.qa_test_specs (priority DESC) WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_search
    ON public.qa_test_specs USING gin (to_tsvector('english'::regconfig, ((COALESCE(name, ''::text) || ' '::text) || COALESCE(nl_spec, ''::text))))
    WHERE (deleted_at IS NULL);
CREATE INDEX idx_qa_specs_push_repos
    ON public.qa_test_specs USING gin (trigger_on_repos)
    WHERE ((deleted_at IS NULL) AND (status = 'active'::qa_spec_status) AND (run_on_push = true));
ALTER TABLE public.qa_test_specs ENABLE ROW LEVEL SECURITY;

-- Every long process, whichever engine runs it. The reference has no row level security here, so
-- no user role gets any privilege on it.
CREATE TABLE public.temporal_workflows (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    workflow_id         text NOT NULL,
    workflow_type       text NOT NULL,
    status              text NOT NULL DEFAULT 'RUNNING',
    progress_percentage integer DEFAULT 0,
    current_step        text,
    steps_completed     text[],
    total_steps         integer,
    task_queue          text,
    workspace_id        uuid,
    friendly_name       text,
    metadata            jsonb DEFAULT '{}',
    started_at          timestamptz DEFAULT now(),
    completed_at        timestamptz,
    updated_at          timestamptz DEFAULT now(),
    created_at          timestamptz DEFAULT now(),
    CONSTRAINT temporal_workflows_pkey PRIMARY KEY (id),
    CONSTRAINT temporal_workflows_workflow_id_key UNIQUE (workflow_id)
);
COMMENT ON TABLE public.temporal_workflows IS
    'Centralized tracking of all Temporal workflow executions with real-time notifications';
CREATE INDEX idx_temporal_workflows_active
    ON public.temporal_workflows (status, started_at) WHERE (status = 'RUNNING'::text);
CREATE INDEX idx_temporal_workflows_workspace ON public.temporal_workflows (workspace_id, status);
CREATE INDEX idx_temporal_workflows_type ON public.temporal_workflows (workflow_type, status);

CREATE TABLE public.user_feedback (
    id                  uuid NOT NULL DEFAULT gen_random_uuid(),
    user_id             uuid,
    user_email          text,
    title               text NOT NULL,
    description         text NOT NULL,
    category            text NOT NULL DEFAULT 'bug',
    affected_area       text,
    steps_to_reproduce  text,
    expected_behavior   text,
    actual_behavior     text,
    screenshots         text[],
    metadata            jsonb,
    status              text NOT NULL DEFAULT 'new',
    source              text NOT NULL DEFAULT 'dashboard',
    assigned_to         uuid,
    internal_notes      text,
    resolution          text,
    plane_issue_id      text,
    github_issue_number integer,
    created_at          timestamptz NOT NULL DEFAULT now(),
    updated_at          timestamptz NOT NULL DEFAULT now(),
    resolved_at         timestamptz,
    task_id             uuid
);
COMMENT ON TABLE public.user_feedback IS
    'External user feedback and bug reports for manual triage';
CREATE INDEX idx_user_feedback_task_id
    ON public.user_feedback (task_id) WHERE (task_id IS NOT NULL);
ALTER TABLE public.user_feedback ADD CONSTRAINT user_feedback_pkey PRIMARY KEY (id);
CREATE INDEX idx_user_feedback_user_id ON public.user_feedback (user_id);
CREATE INDEX idx_user_feedback_status ON public.user_feedback (status);
CREATE INDEX idx_user_feedback_category ON public.user_feedback (category);
CREATE INDEX idx_user_feedback_created_at ON public.user_feedback (created_at DESC);
ALTER TABLE public.user_feedback ENABLE ROW LEVEL SECURITY;

-- Everything that arrives, once: inserting the same event again is a no-op. A failed event with no
-- retries left is a dead letter.
CREATE TABLE public.webhook_events (
    id                     uuid NOT NULL DEFAULT gen_random_uuid(),
    platform               varchar(50) NOT NULL,
    platform_message_id    varchar(255),
    event_fingerprint      text NOT NULL,
    event_type             varchar(50) NOT NULL,
    connected_account_id   uuid,
    payload                jsonb NOT NULL,
    parsed_data            jsonb,
    status                 varchar(50) NOT NULL DEFAULT 'pending',
    retry_count            integer NOT NULL DEFAULT 0,
    max_retries            integer NOT NULL DEFAULT 3,
    processing_result      jsonb,
    error_message          text,
    error_stack            text,
    created_at             timestamptz NOT NULL DEFAULT now(),
    processing_started_at  timestamptz,
    processed_at           timestamptz,
    next_retry_at          timestamptz,
    processing_duration_ms integer,
    worker_id              varchar(255),
    CONSTRAINT webhook_events_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.webhook_events IS
    'Event queue and audit log for all incoming webhook events. Enables async processing and idempotency.';
COMMENT ON COLUMN public.webhook_events.platform_message_id IS
    'Platform-specific message ID (Instagram mid, TikTok msg_id). NULL for events without message IDs (comments).';
COMMENT ON COLUMN public.webhook_events.event_fingerprint IS
    'SHA-256 hash of normalized payload. Ensures deduplication even without message_id.';
COMMENT ON COLUMN public.webhook_events.status IS
    'pending: waiting to process, processing: currently being processed, completed: done, failed: error occurred, skipped: intentionally not processed';
COMMENT ON COLUMN public.webhook_events.retry_count IS
    'Number of times processing has been attempted. Incremented on each failure.';
COMMENT ON COLUMN public.webhook_events.next_retry_at IS
    'When to retry processing if status=failed. Uses exponential backoff.';
CREATE INDEX webhook_events_account_idx
    ON public.webhook_events (connected_account_id, created_at DESC);
ALTER TABLE public.webhook_events ADD CONSTRAINT webhook_events_fingerprint_unique
    UNIQUE (event_fingerprint);
CREATE UNIQUE INDEX webhook_events_message_id_unique
    ON public.webhook_events (platform, platform_message_id)
    WHERE (platform_message_id IS NOT NULL);
CREATE INDEX webhook_events_payload_idx ON public.webhook_events USING gin (payload jsonb_path_ops);
CREATE INDEX webhook_events_pending_idx
    ON public.webhook_events (status, created_at) WHERE ((status)::text = 'pending'::text);
CREATE INDEX webhook_events_retry_idx
    ON public.webhook_events (status, next_retry_at)
    WHERE (((status)::text = 'failed'::text) AND (retry_count < max_retries));
CREATE INDEX webhook_events_status_idx ON public.webhook_events (status, created_at DESC);
CREATE INDEX idx_webhook_events_platform_status
    ON public.webhook_events (platform, status, created_at);
ALTER TABLE public.webhook_events ENABLE ROW LEVEL SECURITY;

-- Topping up by card when the balance falls. Only one reload may be in flight.
CREATE TABLE public.workspace_auto_reload_settings (
    workspace_id             uuid NOT NULL,
    enabled                  boolean NOT NULL DEFAULT false,
    threshold_cents          integer NOT NULL,
    reload_amount_cents      integer NOT NULL,
    stripe_payment_method_id text,
    last_reload_at           timestamptz,
    last_reload_status       text,
    failed_attempts          integer DEFAULT 0,
    created_at               timestamptz NOT NULL DEFAULT now(),
    updated_at               timestamptz NOT NULL DEFAULT now(),
    created_by               uuid,
    CONSTRAINT workspace_auto_reload_settings_pkey PRIMARY KEY (workspace_id)
);
COMMENT ON TABLE public.workspace_auto_reload_settings IS
    'Auto-reload configuration. REPLICA IDENTITY FULL for realtime settings updates.';
COMMENT ON COLUMN public.workspace_auto_reload_settings.threshold_cents IS
    'Balance threshold in cents that triggers auto-reload (minimum $5.00)';
COMMENT ON COLUMN public.workspace_auto_reload_settings.reload_amount_cents IS
    'Amount in cents to charge when auto-reload triggers (minimum $15.00)';
COMMENT ON COLUMN public.workspace_auto_reload_settings.stripe_payment_method_id IS
    'Managed via Stripe Customer Portal - not stored directly';
ALTER TABLE public.workspace_auto_reload_settings ENABLE ROW LEVEL SECURITY;

-- History only; nothing writes here any more.
CREATE TABLE public.workspace_events (
    id           uuid NOT NULL DEFAULT gen_random_uuid(),
    workspace_id uuid NOT NULL,
    event_type   text NOT NULL,
    event_data   jsonb DEFAULT '{}',
    created_at   timestamptz DEFAULT now(),
    CONSTRAINT workspace_events_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE public.workspace_events IS
    'DEPRECATED: This table is no longer used for realtime notifications.
Use oauth_audit_logs instead for OAuth event notifications.
This table is kept for historical audit data only.
Not in realtime publication - events are not broadcast.';
CREATE INDEX idx_workspace_events_created_at ON public.workspace_events (created_at DESC);
CREATE INDEX idx_workspace_events_workspace_id ON public.workspace_events (workspace_id);
ALTER TABLE public.workspace_events ENABLE ROW LEVEL SECURITY;
