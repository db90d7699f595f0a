-- Domain social: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

ALTER TABLE public.bot_interactions
    ADD CONSTRAINT bot_interactions_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT bot_interactions_binding_id_fkey
        FOREIGN KEY (binding_id) REFERENCES public.social_posts_garment_bindings (id) ON DELETE SET NULL,
    ADD CONSTRAINT bot_interactions_photo_quality_check
        CHECK (photo_quality_score BETWEEN 0 AND 100),
    ADD CONSTRAINT bot_interactions_message_count_check CHECK (message_count >= 0),
    -- false <= true: what succeeded was attempted.
    ADD CONSTRAINT bot_interactions_generation_check
        CHECK ((generation_successful IS TRUE) <= (generation_attempted IS TRUE)),
    ADD CONSTRAINT bot_interactions_generation_order_check
        CHECK (generation_completed_at >= generation_started_at);

ALTER TABLE public.connected_social_accounts
    ADD CONSTRAINT connected_social_accounts_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT connected_social_accounts_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT connected_social_accounts_status_check CHECK ((status IN (
            'pending', 'active', 'expired', 'error', 'revoked', 'disconnected', 'purged'
        )) IS TRUE),
    -- Null is distinct from null, so the unique key would not hold for accounts of nobody.
    ADD CONSTRAINT connected_social_accounts_workspace_id_check CHECK (workspace_id IS NOT NULL),
    ADD CONSTRAINT connected_social_accounts_disconnected_check
        CHECK (status <> 'disconnected' OR disconnected_at IS NOT NULL),
    -- Connecting again within the 90 days ends the count-down.
    ADD CONSTRAINT connected_social_accounts_connected_check
        CHECK (status NOT IN ('active', 'pending') OR disconnected_at IS NULL);

ALTER TABLE public.conversation_messages
    ADD CONSTRAINT conversation_messages_session_id_fkey
        FOREIGN KEY (session_id) REFERENCES public.conversation_sessions (id) ON DELETE CASCADE,
    ADD CONSTRAINT conversation_messages_role_check
        CHECK ((role IN ('system', 'developer', 'user', 'assistant', 'tool', 'human')) IS TRUE),
    ADD CONSTRAINT conversation_messages_confidence_check CHECK (confidence BETWEEN 0 AND 1),
    ADD CONSTRAINT conversation_messages_counts_check
        CHECK (tokens_used >= 0 AND latency_ms >= 0 AND cost_micro_units >= 0);

ALTER TABLE public.conversation_sessions
    ADD CONSTRAINT conversation_sessions_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT conversation_sessions_customer_check
        CHECK (num_nonnulls(customer_id, anonymous_id) >= 1),
    ADD CONSTRAINT conversation_sessions_ended_check
        CHECK ((is_active IS TRUE) = (ended_at IS NULL)),
    ADD CONSTRAINT conversation_sessions_counts_check
        CHECK (message_count >= 0 AND tool_calls_count >= 0);

ALTER TABLE public.instagram_account_health
    ADD CONSTRAINT instagram_account_health_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT instagram_account_health_status_check
        CHECK ((health_status IN ('healthy', 'degraded', 'unhealthy')) IS TRUE),
    ADD CONSTRAINT instagram_account_health_delivery_rate_check
        CHECK (webhook_delivery_rate BETWEEN 0 AND 100),
    ADD CONSTRAINT instagram_account_health_counts_check
        CHECK (consecutive_failures >= 0 AND messages_processed_today >= 0
            AND messages_failed_today >= 0);

ALTER TABLE public.instagram_message_queue
    ADD CONSTRAINT instagram_message_queue_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT instagram_message_queue_status_check
        CHECK ((status IN ('pending', 'processing', 'completed', 'failed')) IS TRUE),
    ADD CONSTRAINT instagram_message_queue_attempts_check
        CHECK (attempts >= 0 AND max_attempts >= 0);

ALTER TABLE public.instagram_post_metrics
    ADD CONSTRAINT instagram_post_metrics_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT instagram_post_metrics_binding_id_fkey
        FOREIGN KEY (binding_id) REFERENCES public.social_posts_garment_bindings (id) ON DELETE SET NULL,
    -- Null is distinct from null, so the unique key would let an hour be counted twice.
    ADD CONSTRAINT instagram_post_metrics_key_check
        CHECK (num_nulls(account_id, metric_date, metric_hour) = 0),
    ADD CONSTRAINT instagram_post_metrics_hours_check
        CHECK (metric_hour BETWEEN 0 AND 23 AND peak_engagement_hour BETWEEN 0 AND 23),
    ADD CONSTRAINT instagram_post_metrics_counts_check
        CHECK (impressions >= 0 AND reach >= 0 AND likes >= 0 AND comments >= 0 AND shares >= 0 AND saves >= 0
            AND bot_comments >= 0 AND bot_dms >= 0 AND bot_conversations >= 0);

ALTER TABLE public.instagram_rate_limits
    ADD CONSTRAINT instagram_rate_limits_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT instagram_rate_limits_counts_check
        CHECK (messages_sent_today >= 0 AND messages_sent_this_hour >= 0),
    ADD CONSTRAINT instagram_rate_limits_limits_check CHECK (daily_limit > 0 AND hourly_limit > 0);

ALTER TABLE public.instagram_webhook_subscriptions
    ADD CONSTRAINT instagram_webhook_subscriptions_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT instagram_webhook_subscriptions_status_check
        CHECK ((subscription_status IN ('pending', 'active', 'inactive', 'error')) IS TRUE),
    ADD CONSTRAINT instagram_webhook_subscriptions_error_count_check CHECK (error_count >= 0);

ALTER TABLE public.social_account_sync_metadata
    ADD CONSTRAINT social_account_sync_metadata_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_account_sync_metadata_counts_check
        CHECK (api_calls_this_hour >= 0 AND total_posts_synced >= 0 AND consecutive_errors >= 0),
    ADD CONSTRAINT social_account_sync_metadata_lease_check
        CHECK ((sync_in_progress IS TRUE) <= (last_sync_started_at IS NOT NULL));

ALTER TABLE public.social_conversations
    ADD CONSTRAINT social_conversations_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_conversations_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    -- Null is distinct from null, so the unique key would allow two threads for one person.
    ADD CONSTRAINT social_conversations_connected_account_check
        CHECK (connected_account_id IS NOT NULL),
    ADD CONSTRAINT social_conversations_category_check
        CHECK ((category IN ('primary', 'general', 'requests', 'hidden')) IS TRUE),
    ADD CONSTRAINT social_conversations_status_check
        CHECK ((status IN ('active', 'closed', 'archived', 'blocked')) IS TRUE),
    ADD CONSTRAINT social_conversations_counts_check
        CHECK (unread_count >= 0 AND message_count >= 0);

ALTER TABLE public.social_messages
    ADD CONSTRAINT social_messages_conversation_id_fkey
        FOREIGN KEY (conversation_id) REFERENCES public.social_conversations (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_messages_lists_check
        CHECK (jsonb_typeof(attachments) = 'array' AND jsonb_typeof(reactions) = 'array');

ALTER TABLE public.social_posts
    ADD CONSTRAINT social_posts_connected_account_id_fkey
        FOREIGN KEY (connected_account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_posts_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_posts_shopify_product_id_fkey
        FOREIGN KEY (shopify_product_id) REFERENCES public.shopify_products (id) ON DELETE SET NULL,
    ADD CONSTRAINT social_posts_shopify_variant_id_fkey
        FOREIGN KEY (shopify_variant_id) REFERENCES public.shopify_product_variants (id) ON DELETE SET NULL,
    ADD CONSTRAINT social_posts_counts_check
        CHECK (like_count >= 0 AND comment_count >= 0 AND view_count >= 0);

ALTER TABLE public.social_posts_garment_bindings
    ADD CONSTRAINT social_posts_garment_bindings_post_id_fkey
        FOREIGN KEY (post_id) REFERENCES public.social_posts (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_posts_garment_bindings_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_posts_garment_bindings_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT social_posts_garment_bindings_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT social_posts_garment_bindings_wardrobe_garment_id_fkey
        FOREIGN KEY (wardrobe_garment_id) REFERENCES public.wardrobe_garments (id) ON DELETE SET NULL,
    -- When its garment is deleted a binding is switched off by a trigger, and its history stays.
    ADD CONSTRAINT social_posts_garment_bindings_garment_check
        CHECK ((is_active IS TRUE) <= (wardrobe_garment_id IS NOT NULL OR garment_url IS NOT NULL)),
    ADD CONSTRAINT social_posts_garment_bindings_counts_check
        CHECK (total_triggers >= 0 AND total_dm_conversations >= 0 AND total_photo_requests >= 0
            AND total_photos_received >= 0 AND successful_generations >= 0
            AND successful_generations <= total_generations);

ALTER TABLE public.user_email_accounts
    ADD CONSTRAINT user_email_accounts_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    ADD CONSTRAINT user_email_accounts_ports_check
        CHECK (imap_port BETWEEN 1 AND 65535 AND smtp_port BETWEEN 1 AND 65535);

ALTER TABLE public.workspace_email_account_members
    ADD CONSTRAINT workspace_email_account_members_account_id_fkey
        FOREIGN KEY (account_id) REFERENCES public.workspace_email_accounts (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_email_account_members_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_email_account_members_role_check
        CHECK ((role IN ('owner', 'admin', 'member', 'readonly')) IS TRUE);

ALTER TABLE public.workspace_email_accounts
    ADD CONSTRAINT workspace_email_accounts_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_email_accounts_ports_check
        CHECK (imap_port BETWEEN 1 AND 65535 AND smtp_port BETWEEN 1 AND 65535);
