-- What privileges.sql no longer gives; where it never did, nothing changes.

-- Of a table, its columns too: what is revoked of all was granted of some.
REVOKE INSERT, UPDATE, DELETE ON public.social_conversations, public.social_messages,
    public.social_posts_garment_bindings, public.wardrobe_garments, public.wardrobe_usage_events
    FROM authenticated;
REVOKE UPDATE (settings, social_platforms_config) ON public.workspaces FROM authenticated;
