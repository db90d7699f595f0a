CREATE TABLE internal.personal_exports (
    id         uuid PRIMARY KEY,
    user_id    uuid NOT NULL REFERENCES auth.users (id),
    asked_at   timestamptz NOT NULL,
    state      text NOT NULL,
    file_key   text,
    expires_at timestamptz NOT NULL,
    CONSTRAINT personal_exports_state_check CHECK (state IN ('making', 'ready', 'failed'))
);
CREATE INDEX personal_exports_user_idx ON internal.personal_exports (user_id, id);
CREATE INDEX personal_exports_expires_at_idx ON internal.personal_exports (expires_at);
COMMENT ON TABLE internal.personal_exports IS
    'Files with everything about a person, which that person asked for.';

CREATE TABLE internal.erasures (
    user_id  uuid PRIMARY KEY REFERENCES auth.users (id),
    asked_at timestamptz NOT NULL,
    due_at   timestamptz NOT NULL,
    done_at  timestamptz
);
COMMENT ON TABLE internal.erasures IS
    'Accounts whose people asked to be forgotten: closed at once, nobody''s once done_at is set.';
