ALTER TABLE internal.send_pace ADD COLUMN last_read timestamptz;
COMMENT ON COLUMN internal.send_pace.last_read IS
    'The last turn given to a request that reads conversations back; the next one comes after it.';

--- What of an account is on its way? Asked about every message of somebody new. "IS TRUE" hides the index
--- from the claims, which ask for one state: with old statistics the planner would walk all of it.
CREATE INDEX outbox_open_idx ON internal.outbox (account_id, channel)
    WHERE (state IN ('queued', 'sending', 'unknown')) IS TRUE;
--- Private replies that may have arrived all the same. Few.
CREATE INDEX outbox_lost_replies_idx ON internal.outbox (account_id, id)
    WHERE state = 'failed' AND payload ->> 'kind' = 'private_reply';
