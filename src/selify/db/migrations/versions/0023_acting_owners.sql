-- Void with the membership of either of the two, and with the workspace.
CREATE TABLE internal.ownership_offers (
    workspace_id uuid NOT NULL,
    offered_by   uuid NOT NULL,
    offered_to   uuid NOT NULL,
    offered_at   timestamptz NOT NULL,
    CONSTRAINT ownership_offers_pkey PRIMARY KEY (workspace_id),
    CONSTRAINT ownership_offers_workspace_id_fkey
        FOREIGN KEY (workspace_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT ownership_offers_giver_fkey FOREIGN KEY (workspace_id, offered_by)
        REFERENCES public.workspace_members (workspace_id, user_id) ON DELETE CASCADE,
    CONSTRAINT ownership_offers_receiver_fkey FOREIGN KEY (workspace_id, offered_to)
        REFERENCES public.workspace_members (workspace_id, user_id) ON DELETE CASCADE,
    CONSTRAINT ownership_offers_two_people_check CHECK (offered_by <> offered_to)
);
COMMENT ON TABLE internal.ownership_offers IS
    'Who was asked to own a workspace in whose place, until they accept, decline or the offer runs out.';
