-- What privileges.sql no longer gives; where it never did, nothing changes.

-- Names that speak of access do not promise deleting.
REVOKE DELETE ON public.amazon_connected_accounts, public.qa_test_results, public.qa_test_runs,
    public.qa_test_specs FROM authenticated;
-- Deleting is a use case of the server: disconnect, put away, delete with the books kept.
REVOKE DELETE ON public.connected_social_accounts, public.wardrobe_garments, public.workspaces
    FROM authenticated;
REVOKE UPDATE (settings) ON public.connected_social_accounts FROM authenticated;
REVOKE INSERT (permissions), UPDATE (permissions) ON public.workspace_members FROM authenticated;
