CREATE TABLE IF NOT EXISTS settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS accounts (
    id TEXT PRIMARY KEY,                    -- professional account id, the webhook's entry.id
    app_scoped_id TEXT NOT NULL UNIQUE,     -- /me id
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    biography TEXT NOT NULL DEFAULT '',
    followers INTEGER NOT NULL DEFAULT 0,
    message_access INTEGER NOT NULL DEFAULT 1,
    banned INTEGER NOT NULL DEFAULT 0,
    restricted_until REAL NOT NULL DEFAULT 0,
    subscribed_fields TEXT NOT NULL DEFAULT '',
    messenger_profile TEXT NOT NULL DEFAULT '{}',
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS codes (
    code TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    redirect_uri TEXT NOT NULL,
    scopes TEXT NOT NULL,
    expires_at REAL NOT NULL,
    used INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS tokens (
    token TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    long_lived INTEGER NOT NULL,
    scopes TEXT NOT NULL,
    issued_at REAL NOT NULL,
    expires_at REAL NOT NULL,
    dead_subcode INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE IF NOT EXISTS files (
    id TEXT PRIMARY KEY,
    content_type TEXT NOT NULL,
    size INTEGER NOT NULL,
    alive INTEGER NOT NULL DEFAULT 1
);
CREATE TABLE IF NOT EXISTS media (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    key TEXT NOT NULL,
    caption TEXT NOT NULL,
    alt_text TEXT NOT NULL,
    product_type TEXT NOT NULL,
    file_id TEXT NOT NULL REFERENCES files (id),
    shortcode TEXT NOT NULL UNIQUE,
    other_likes INTEGER NOT NULL DEFAULT 0, -- likes of people who are not shoppers here
    comments_enabled INTEGER NOT NULL DEFAULT 1,
    created_at REAL NOT NULL,
    UNIQUE (account_id, key)
);
CREATE TABLE IF NOT EXISTS shoppers (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    created_at REAL NOT NULL
);
CREATE TABLE IF NOT EXISTS likes (
    media_id TEXT NOT NULL REFERENCES media (id),
    shopper_id TEXT NOT NULL REFERENCES shoppers (id),
    PRIMARY KEY (media_id, shopper_id)
);
CREATE TABLE IF NOT EXISTS threads (       -- one shopper as one account knows them
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    shopper_id TEXT NOT NULL REFERENCES shoppers (id),
    igsid TEXT NOT NULL UNIQUE,             -- their id in messages
    commenter_id TEXT NOT NULL UNIQUE,      -- their id in comments: not always the same
    follows INTEGER NOT NULL DEFAULT 0,
    blocked INTEGER NOT NULL DEFAULT 0,     -- the shopper blocked the account
    consented INTEGER NOT NULL DEFAULT 0,   -- the shopper wrote or tapped at least once
    accepted INTEGER NOT NULL DEFAULT 0,    -- 0: the thread sits in the shopper's requests
    last_inbound REAL NOT NULL DEFAULT 0,
    updated_at REAL NOT NULL DEFAULT 0,     -- 0: nothing was ever said
    UNIQUE (account_id, shopper_id)
);
CREATE INDEX IF NOT EXISTS threads_of_shopper ON threads (shopper_id, updated_at);
CREATE TABLE IF NOT EXISTS comments (
    id TEXT PRIMARY KEY,
    media_id TEXT NOT NULL REFERENCES media (id),
    parent_id TEXT REFERENCES comments (id),
    shopper_id TEXT REFERENCES shoppers (id), -- NULL: written by the account itself
    text TEXT NOT NULL,
    hidden INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    created_at REAL NOT NULL
);
CREATE INDEX IF NOT EXISTS comments_of_media ON comments (media_id, created_at);
CREATE TABLE IF NOT EXISTS messages (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    mid TEXT NOT NULL UNIQUE,
    thread_id TEXT NOT NULL REFERENCES threads (id),
    origin TEXT NOT NULL CHECK (origin IN ('shopper', 'api', 'app')),
    body TEXT NOT NULL,                     -- JSON, see messages.Body
    private_reply_to TEXT UNIQUE REFERENCES comments (id),
    created_ms INTEGER NOT NULL,
    edits INTEGER NOT NULL DEFAULT 0,
    deleted INTEGER NOT NULL DEFAULT 0,
    seen INTEGER NOT NULL DEFAULT 0
);
CREATE INDEX IF NOT EXISTS messages_of_thread ON messages (thread_id, seq);
CREATE TABLE IF NOT EXISTS reactions (
    mid TEXT NOT NULL REFERENCES messages (mid),
    by_shopper INTEGER NOT NULL,
    name TEXT NOT NULL,
    emoji TEXT NOT NULL,
    PRIMARY KEY (mid, by_shopper)
);
CREATE TABLE IF NOT EXISTS uploads (
    attachment_id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    type TEXT NOT NULL,
    file_id TEXT NOT NULL REFERENCES files (id)
);
CREATE TABLE IF NOT EXISTS events (        -- what happened and must be told
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    account_id TEXT NOT NULL,
    lane INTEGER NOT NULL,
    shape TEXT NOT NULL CHECK (shape IN ('messaging', 'changes')),
    item TEXT NOT NULL,
    label TEXT NOT NULL,
    due_at REAL NOT NULL,
    delivery_id INTEGER
);
CREATE INDEX IF NOT EXISTS events_due ON events (lane, due_at, id) WHERE delivery_id IS NULL;
CREATE INDEX IF NOT EXISTS events_of_delivery ON events (delivery_id);
CREATE TABLE IF NOT EXISTS deliveries (    -- one POST and its attempts
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL CHECK (kind IN ('webhook', 'deauthorize', 'deletion')),
    subject TEXT NOT NULL DEFAULT '',       -- signed requests: the app-scoped user id
    label TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('sending', 'waiting', 'delivered', 'given_up')),
    attempts INTEGER NOT NULL DEFAULT 0,
    next_at REAL NOT NULL,
    created_at REAL NOT NULL,
    finished_at REAL,
    last_status INTEGER,
    note TEXT NOT NULL DEFAULT '',
    answer TEXT NOT NULL DEFAULT ''
);
CREATE INDEX IF NOT EXISTS deliveries_waiting ON deliveries (next_at) WHERE status = 'waiting';
