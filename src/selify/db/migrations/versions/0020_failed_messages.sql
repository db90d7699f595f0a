-- What failed is looked for by account and kind, whatever kind that is.
DROP INDEX internal.outbox_lost_replies_idx;
CREATE INDEX outbox_failed_idx ON internal.outbox (account_id, (payload ->> 'kind'), id)
    WHERE state = 'failed';
