-- E-mail ------------------------------------------------------------------------------------------
CREATE TABLE internal.local_mails (
    id         uuid NOT NULL,
    arrived_at timestamptz NOT NULL,
    sealed     text NOT NULL,
    CONSTRAINT local_mails_pkey PRIMARY KEY (id)
);
COMMENT ON TABLE internal.local_mails IS
    'Mails to our own users where there is no mail server, sealed: their links are as good as passwords.';
COMMENT ON COLUMN internal.local_mails.id IS
    'That of the outbox row it was, so that it arrives once; ordered by time.';
