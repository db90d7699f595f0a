-- Domain ops: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

ALTER TABLE public.contact_email_log
    ADD CONSTRAINT contact_email_log_contact_submission_id_fkey
        FOREIGN KEY (contact_submission_id) REFERENCES public.contact_submissions (id) ON DELETE CASCADE,
    ADD CONSTRAINT contact_email_log_type_check
        CHECK ((email_type IN ('auto_response', 'notification', 'reply')) IS TRUE),
    ADD CONSTRAINT contact_email_log_status_check
        CHECK ((status IN ('queued', 'sent', 'failed')) IS TRUE);

ALTER TABLE public.contact_submissions
    ADD CONSTRAINT contact_submissions_replied_by_fkey
        FOREIGN KEY (replied_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT contact_submissions_status_check
        CHECK ((status IN ('new', 'in_progress', 'replied', 'closed', 'spam')) IS TRUE),
    ADD CONSTRAINT contact_submissions_replied_check
        CHECK (status <> 'replied' OR replied_at IS NOT NULL),
    ADD CONSTRAINT contact_submissions_auto_response_check
        CHECK ((auto_response_sent IS TRUE) = (auto_response_sent_at IS NOT NULL)),
    -- Anyone may write here, so there is an end to how much.
    ADD CONSTRAINT contact_submissions_lengths_check CHECK (char_length(name) <= 200
            AND char_length(email) <= 320 AND char_length(message) <= 20000);

ALTER TABLE public.notifications
    ADD CONSTRAINT notifications_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    ADD CONSTRAINT notifications_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT notifications_title_check CHECK (title <> '' AND type <> '');

ALTER TABLE public.qa_test_results
    ADD CONSTRAINT qa_test_results_run_id_fkey
        FOREIGN KEY (run_id) REFERENCES public.qa_test_runs (id) ON DELETE CASCADE,
    ADD CONSTRAINT qa_test_results_spec_id_fkey
        FOREIGN KEY (spec_id) REFERENCES public.qa_test_specs (id) ON DELETE CASCADE,
    ADD CONSTRAINT qa_test_results_attempts_check
        CHECK (attempt_number >= 1 AND attempt_number <= total_attempts),
    ADD CONSTRAINT qa_test_results_healed_check
        CHECK ((was_healed IS TRUE) <= (original_code IS NOT NULL AND healed_code IS NOT NULL)),
    ADD CONSTRAINT qa_test_results_ranges_check
        CHECK (healer_confidence BETWEEN 0 AND 1 AND visual_diff_percent BETWEEN 0 AND 100);

ALTER TABLE public.qa_test_runs
    ADD CONSTRAINT qa_test_runs_triggered_by_fkey
        FOREIGN KEY (triggered_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT qa_test_runs_trigger_type_check
        CHECK ((trigger_type IN ('manual', 'push', 'schedule', 'api')) IS TRUE),
    ADD CONSTRAINT qa_test_runs_counts_check
        CHECK (passed_count >= 0 AND failed_count >= 0 AND skipped_count >= 0
            AND healed_count >= 0 AND flaky_count >= 0 AND auto_heals_applied >= 0
            AND passed_count + failed_count + skipped_count <= total_specs);

ALTER TABLE public.qa_test_specs
    ADD CONSTRAINT qa_test_specs_setup_spec_id_fkey
        FOREIGN KEY (setup_spec_id) REFERENCES public.qa_test_specs (id) ON DELETE SET NULL,
    ADD CONSTRAINT qa_test_specs_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT qa_test_specs_ranges_check
        CHECK (timeout_ms > 0 AND push_timeout_ms > 0 AND retries BETWEEN 0 AND 10
            AND visual_threshold BETWEEN 0 AND 1 AND flaky_score BETWEEN 0 AND 100),
    ADD CONSTRAINT qa_test_specs_viewport_check CHECK (viewport_width > 0 AND viewport_height > 0),
    ADD CONSTRAINT qa_test_specs_streak_check
        CHECK (consecutive_passes >= 0 AND consecutive_fails >= 0
            AND (consecutive_passes = 0 OR consecutive_fails = 0)),
    ADD CONSTRAINT qa_test_specs_setup_check CHECK (setup_spec_id <> id);

ALTER TABLE public.temporal_workflows
    ADD CONSTRAINT temporal_workflows_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT temporal_workflows_status_check CHECK ((status IN (
            'RUNNING', 'COMPLETED', 'FAILED', 'CANCELED', 'TERMINATED', 'TIMED_OUT',
            'CONTINUED_AS_NEW'
        )) IS TRUE),
    ADD CONSTRAINT temporal_workflows_progress_check CHECK (progress_percentage BETWEEN 0 AND 100),
    ADD CONSTRAINT temporal_workflows_steps_check
        CHECK (coalesce(cardinality(steps_completed), 0) <= total_steps);

ALTER TABLE public.user_feedback
    ADD CONSTRAINT user_feedback_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT user_feedback_assigned_to_fkey
        FOREIGN KEY (assigned_to) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT user_feedback_status_check CHECK ((status IN (
            'new', 'triaged', 'in_progress', 'resolved', 'wont_fix', 'duplicate'
        )) IS TRUE),
    ADD CONSTRAINT user_feedback_resolved_check
        CHECK (status <> 'resolved' OR resolved_at IS NOT NULL),
    -- Anyone may write here, so there is an end to how much.
    ADD CONSTRAINT user_feedback_lengths_check
        CHECK (char_length(title) <= 500 AND char_length(description) <= 20000);

ALTER TABLE public.webhook_events
    ADD CONSTRAINT webhook_events_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT webhook_events_status_check
        CHECK ((status IN ('pending', 'processing', 'completed', 'failed', 'skipped')) IS TRUE),
    ADD CONSTRAINT webhook_events_retries_check CHECK (retry_count >= 0 AND max_retries >= 0),
    -- There is no lease column: a worker that died is known by when it began.
    ADD CONSTRAINT webhook_events_lease_check
        CHECK (status <> 'processing' OR processing_started_at IS NOT NULL);

ALTER TABLE public.workspace_auto_reload_settings
    ADD CONSTRAINT workspace_auto_reload_settings_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_auto_reload_settings_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT workspace_auto_reload_settings_amounts_check
        CHECK (threshold_cents >= 500 AND reload_amount_cents >= 1500),
    ADD CONSTRAINT workspace_auto_reload_settings_status_check
        CHECK (last_reload_status IN ('pending', 'succeeded', 'failed')),
    ADD CONSTRAINT workspace_auto_reload_settings_failed_attempts_check
        CHECK (failed_attempts >= 0);

ALTER TABLE public.workspace_events
    ADD CONSTRAINT workspace_events_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE;
