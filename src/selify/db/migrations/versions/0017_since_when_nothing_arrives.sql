ALTER TABLE internal.account_trouble
    DROP CONSTRAINT account_trouble_scope_check,
    ADD CONSTRAINT account_trouble_scope_check CHECK (scope IN ('sends', 'comments', 'events'));
COMMENT ON TABLE internal.account_trouble IS
    'What fails in a row for an account: since when, and the latest reason in words for its owner. A success deletes the row.';
COMMENT ON COLUMN internal.account_trouble.scope IS
    'sends: any send, ended by any success. comments: what only the reply to a comment needs, ended by such a reply. events: the platform was asked to send us some and refused, ended by its consent.';

-- Of those that are there, only the latest look is known.
INSERT INTO internal.account_trouble (account_id, scope, since, code, reason)
SELECT connected_account_id, 'events', coalesce(last_verified_at, now()), 'events_not_arriving',
       coalesce(last_error, '')
  FROM public.instagram_webhook_subscriptions WHERE subscription_status = 'error';
