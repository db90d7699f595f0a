CREATE TABLE internal.post_listings (
    account_id uuid NOT NULL,
    cursor     text NOT NULL,
    CONSTRAINT post_listings_pkey PRIMARY KEY (account_id),
    CONSTRAINT post_listings_account_fkey FOREIGN KEY (account_id)
        REFERENCES public.connected_social_accounts (id) ON DELETE CASCADE
);
COMMENT ON TABLE internal.post_listings IS
    'How far the posts of an account were copied when the copying broke off.';
COMMENT ON COLUMN internal.post_listings.cursor IS
    'The platform''s own word for the place after the last page that was copied.';
