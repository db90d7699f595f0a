CREATE TABLE internal.api_keys (
    id           uuid PRIMARY KEY,
    workspace_id uuid NOT NULL REFERENCES public.workspaces (id) ON DELETE CASCADE,
    name         text NOT NULL,
    made_by      uuid REFERENCES auth.users (id) ON DELETE SET NULL,
    prefix       text NOT NULL,
    secret_hash  bytea NOT NULL,
    scopes       text[] NOT NULL,
    role         text NOT NULL,
    made_at      timestamptz NOT NULL,
    expires_at   timestamptz,
    last_used_at timestamptz,
    revoked_at   timestamptz,
    review       text,
    reviews      integer NOT NULL DEFAULT 0,
    told         integer NOT NULL DEFAULT 0,
    CONSTRAINT api_keys_secret_hash_key UNIQUE (secret_hash),
    CONSTRAINT api_keys_secret_hash_check CHECK (octet_length(secret_hash) = 32),
    CONSTRAINT api_keys_scopes_check CHECK (cardinality(scopes) > 0),
    CONSTRAINT api_keys_role_check CHECK (role IN ('owner', 'admin', 'member')),
    CONSTRAINT api_keys_review_check CHECK (review IN ('maker_demoted', 'maker_left', 'maker_banned'))
);
CREATE INDEX api_keys_workspace_idx ON internal.api_keys (workspace_id, id);
CREATE INDEX api_keys_made_by_idx ON internal.api_keys (made_by);
CREATE INDEX api_keys_revoked_at_idx ON internal.api_keys (revoked_at);
CREATE INDEX api_keys_untold_idx ON internal.api_keys (id) WHERE told < reviews;
COMMENT ON TABLE internal.api_keys IS
    'Keys with which programs act in one workspace, under the key''s own id. No user role reads a column of it.';
COMMENT ON COLUMN internal.api_keys.prefix IS 'The secret''s first letters, to know it again by.';
COMMENT ON COLUMN internal.api_keys.secret_hash IS 'SHA-256 of the secret, which nobody keeps.';
COMMENT ON COLUMN internal.api_keys.role IS
    'The least role that holds everything its scopes are for: as this member row level security sees it.';
COMMENT ON COLUMN internal.api_keys.review IS
    'Why an owner should look at it. With maker_banned it opens nothing until an owner has confirmed it.';
COMMENT ON COLUMN internal.api_keys.reviews IS
    'How often there was a reason to look at it; told: up to which of them the owners were told.';
