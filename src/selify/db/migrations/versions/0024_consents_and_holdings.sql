CREATE TABLE internal.used_consents (
    state_hash bytea NOT NULL,
    used_at    timestamptz NOT NULL,
    CONSTRAINT used_consents_pkey PRIMARY KEY (state_hash),
    CONSTRAINT used_consents_hash_check CHECK (octet_length(state_hash) = 32)
);
COMMENT ON TABLE internal.used_consents IS
    'SHA-256 of the states that came back from a platform with a code, as long as they could come back again.';
CREATE INDEX used_consents_used_at_idx ON internal.used_consents (used_at);

-- Void with either of the two.
CREATE TABLE internal.holding_offers (
    brand_id   uuid NOT NULL,
    holding_id uuid NOT NULL,
    offered_at timestamptz NOT NULL,
    CONSTRAINT holding_offers_pkey PRIMARY KEY (brand_id, holding_id),
    CONSTRAINT holding_offers_brand_fkey
        FOREIGN KEY (brand_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT holding_offers_holding_fkey
        FOREIGN KEY (holding_id) REFERENCES public.workspaces (id) ON DELETE CASCADE,
    CONSTRAINT holding_offers_two_check CHECK (brand_id <> holding_id)
);
COMMENT ON TABLE internal.holding_offers IS
    'Which holding asked which brand to belong to it, until the brand''s owner accepts or the offer runs out.';
CREATE INDEX holding_offers_holding_idx ON internal.holding_offers (holding_id);
