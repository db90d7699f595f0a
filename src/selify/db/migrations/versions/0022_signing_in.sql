-- Signing in ------------------------------------------------------------------------------------
CREATE TABLE internal.one_time_links (
    id          uuid NOT NULL,
    kind        text NOT NULL,
    subject     uuid NOT NULL,
    address     text NOT NULL,
    secret_hash bytea NOT NULL,
    made_at     timestamptz NOT NULL,
    expires_at  timestamptz NOT NULL,
    used_at     timestamptz,
    CONSTRAINT one_time_links_pkey PRIMARY KEY (id),
    CONSTRAINT one_time_links_secret_key UNIQUE (secret_hash),
    CONSTRAINT one_time_links_secret_check CHECK (octet_length(secret_hash) = 32)
);
COMMENT ON TABLE internal.one_time_links IS
    'Links that were mailed, and what each is good for, once. Of their secrets there are only hashes.';
COMMENT ON COLUMN internal.one_time_links.subject IS 'Whom or what it is about, by its kind: mostly a user.';
COMMENT ON COLUMN internal.one_time_links.address IS 'The mailbox it was sent to.';
CREATE INDEX one_time_links_subject_idx ON internal.one_time_links (subject, kind);
CREATE INDEX one_time_links_address_idx ON internal.one_time_links (address, kind);
CREATE INDEX one_time_links_expires_idx ON internal.one_time_links (expires_at);

-- Public tables have the indexes of the reference, and none of them is for this.
CREATE TABLE internal.sign_in_history (
    user_id uuid NOT NULL,
    line_id uuid NOT NULL,
    CONSTRAINT sign_in_history_pkey PRIMARY KEY (user_id, line_id),
    CONSTRAINT sign_in_history_user_fkey
        FOREIGN KEY (user_id) REFERENCES auth.users (id) ON DELETE CASCADE,
    CONSTRAINT sign_in_history_line_fkey
        FOREIGN KEY (line_id) REFERENCES public.sso_audit_log (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.sign_in_history IS
    'The lines of sso_audit_log by user, in the order they were written: what a user reads of them.';
CREATE INDEX sign_in_history_line_idx ON internal.sign_in_history (line_id);
