"""What accounts, workspaces and their trails keep of a person."""

from typing import Final

from selify.core.personal_data import PersonalPart

ACCOUNTS: Final = PersonalPart(
    told={
        "profile": """
            SELECT p.id, p.username, p.full_name, p.avatar_url, p.website, p.location, p.language, p.phone,
                   p.email, p.email_confirmed_at, p.preferences, p.created_at, p.onboarded_at, p.referral_code,
                   p.affiliate_status, p.affiliate_balance_cents, p.affiliate_total_earned_cents,
                   p.affiliate_payout_method, p.affiliate_payout_email
              FROM public.profiles p WHERE p.id = $1
        """,
        "sessions": """
            SELECT s.created_at, s.refreshed_at, s.not_after, s.user_agent, s.ip
              FROM auth.sessions s WHERE s.user_id = $1 ORDER BY s.created_at
        """,
        "memberships": """
            SELECT m.workspace_id, w.name AS workspace, m.role, m.invited_at, m.joined_at, m.expires_at
              FROM public.workspace_members m JOIN public.workspaces w ON w.id = m.workspace_id
             WHERE m.user_id = $1 ORDER BY m.created_at
        """,
        "invitations_sent": """
            SELECT m.workspace_id, w.name AS workspace, m.role, m.invited_at, m.joined_at IS NOT NULL AS accepted
              FROM public.workspace_members m JOIN public.workspaces w ON w.id = m.workspace_id
             WHERE m.invited_by = $1 ORDER BY m.invited_at
        """,
        "api_keys_made": """
            SELECT k.workspace_id, k.name, k.prefix, k.scopes, k.made_at, k.expires_at, k.revoked_at
              FROM internal.api_keys k WHERE k.made_by = $1 ORDER BY k.made_at
        """,
        "audit_of_connections": """
            SELECT o.event_type, o.workspace_id, o.platform, o.ip_address, o.user_agent, o.success, o.created_at
              FROM public.oauth_audit_logs o WHERE o.user_id = $1 ORDER BY o.created_at
        """,
        "audit_of_sign_ins": """
            SELECT a.event_type, a.email, a.source_subdomain, a.login_method, a.ip_address, a.user_agent,
                   a.country_code, a.success, a.created_at
              FROM public.sso_audit_log a WHERE a.user_id = $1 ORDER BY a.created_at
        """,
    },
    forget=(
        "DELETE FROM auth.sessions WHERE user_id = $1",
        "UPDATE public.sso_audit_log SET return_to_url = NULL, metadata = '{}' WHERE user_id = $1",
        """
        UPDATE public.profiles
           SET username = NULL, full_name = NULL, avatar_url = NULL, website = NULL, location = NULL,
               phone = NULL, preferences = '{}', referral_code = NULL, affiliate_payout_email = NULL,
               affiliate_custom_slug = NULL, updated_at = $2
         WHERE id = $1
        """,
        # The profile follows in what is the account's: address, and that it was deleted.
        """
        UPDATE auth.users
           SET email = NULL, encrypted_password = NULL, email_confirmed_at = NULL, last_sign_in_at = NULL,
               raw_user_meta_data = '{}', raw_app_meta_data = '{}', updated_at = $2
         WHERE id = $1 AND deleted_at IS NOT NULL
        """,
    ),
)
