-- Domain auth: foreign keys and what must hold within a row.
-- ON DELETE: CASCADE where a row means nothing without the other, SET NULL where only the link is lost,
-- RESTRICT where money is remembered. "(x IN (...)) IS TRUE" also refuses null: a state is never unknown.

-- The trail outlives who it is about; it only forgets them.
ALTER TABLE public.oauth_audit_logs
    ADD CONSTRAINT oauth_audit_logs_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE SET NULL,
    ADD CONSTRAINT oauth_audit_logs_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT oauth_audit_logs_event_type_check CHECK ((event_type IN (
            'oauth_initiated', 'oauth_callback_success', 'oauth_callback_failed',
            'account_connected', 'account_disconnected', 'token_refreshed',
            'token_refresh_failed', 'invalid_state', 'rate_limit_exceeded'
        )) IS TRUE);

ALTER TABLE public.profiles
    ADD CONSTRAINT profiles_id_fkey FOREIGN KEY (id) REFERENCES auth.users (id) ON DELETE CASCADE,
    ADD CONSTRAINT profiles_referral_id_fkey
        FOREIGN KEY (referral_id) REFERENCES public.profiles (id) ON DELETE SET NULL,
    ADD CONSTRAINT profiles_status_check
        CHECK ((status IN ('invited', 'active', 'banned', 'deleted')) IS TRUE),
    ADD CONSTRAINT profiles_affiliate_status_check CHECK ((affiliate_status IN (
            'user', 'applied', 'affiliate', 'rejected', 'suspended'
        )) IS TRUE),
    ADD CONSTRAINT profiles_payout_method_check CHECK ((affiliate_payout_method IN (
            'credits', 'paypal', 'bank_transfer', 'stripe'
        )) IS TRUE),
    ADD CONSTRAINT profiles_commission_rate_check CHECK (affiliate_commission_rate BETWEEN 0 AND 1),
    -- The balance itself may fall below zero: a commission reversed after it was paid is owed back.
    ADD CONSTRAINT profiles_affiliate_totals_check
        CHECK (affiliate_total_earned_cents >= 0 AND affiliate_total_referrals >= 0
            AND affiliate_total_conversions >= 0),
    ADD CONSTRAINT profiles_deleted_check CHECK (status <> 'deleted' OR deleted_at IS NOT NULL),
    -- A time zone that is a point in time cannot mean anything; the zone is in preferences.
    ADD CONSTRAINT profiles_timezone_check CHECK (timezone IS NULL);

ALTER TABLE public.sso_audit_log
    ADD CONSTRAINT sso_audit_log_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT sso_audit_log_failure_check
        CHECK (success OR error_code IS NOT NULL OR error_message IS NOT NULL);

ALTER TABLE public.vr_shop_tokens
    ADD CONSTRAINT vr_shop_tokens_shop_id_fkey
        FOREIGN KEY (shop_id) REFERENCES public.vr_shops (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_shop_tokens_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT vr_shop_tokens_created_by_fkey
        FOREIGN KEY (created_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT vr_shop_tokens_token_check CHECK (token LIKE 'vrt\_%'),
    ADD CONSTRAINT vr_shop_tokens_limits_check
        CHECK (rate_limit_per_minute > 0 AND rate_limit_per_hour > 0 AND rate_limit_per_day > 0),
    ADD CONSTRAINT vr_shop_tokens_uses_check
        CHECK (total_successful >= 0 AND total_failed >= 0
            AND total_uses = total_successful + total_failed);

ALTER TABLE public.workspace_members
    ADD CONSTRAINT workspace_members_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_members_user_id_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    ADD CONSTRAINT workspace_members_invited_by_fkey
        FOREIGN KEY (invited_by) REFERENCES auth.users (id) ON DELETE SET NULL,
    ADD CONSTRAINT workspace_members_role_check
        CHECK ((role IN ('owner', 'admin', 'member')) IS TRUE);

-- The owner's account cannot be deleted before the workspace has another owner.
ALTER TABLE public.workspaces
    ADD CONSTRAINT workspaces_owner_id_fkey
        FOREIGN KEY (owner_id) REFERENCES auth.users (id) ON DELETE RESTRICT,
    ADD CONSTRAINT workspaces_parent_workspace_id_fkey
        FOREIGN KEY (parent_workspace_id) REFERENCES public.workspaces (id) ON DELETE SET NULL,
    ADD CONSTRAINT workspaces_type_check
        CHECK ((type IN ('workspace', 'brand', 'holding', 'team', 'personal')) IS TRUE),
    ADD CONSTRAINT workspaces_name_check CHECK (char_length(name) BETWEEN 1 AND 120),
    ADD CONSTRAINT workspaces_slug_check CHECK (slug ~ '^[a-z0-9]+(-[a-z0-9]+)*$'),
    ADD CONSTRAINT workspaces_parent_check CHECK (parent_workspace_id <> id);
