-- What failed is looked for by account and kind, whatever kind that is.
DROP INDEX internal.outbox_lost_replies_idx;
CREATE INDEX outbox_failed_idx ON internal.outbox (account_id, (payload ->> 'kind'), id)
    WHERE state = 'failed';
-- Routines that took a turn of their own beside their slot.
DELETE FROM internal.routine_turns
 WHERE routine IN ('pruning', 'clocks', 'every/invariants', 'every/invariants of all time',
                   'every/photo addresses')
    OR routine LIKE 'invariant %';
-- What must leave, or be handled, one after another has one name in code and table.
ALTER TABLE internal.outbox RENAME COLUMN lane TO ordering_key;
ALTER INDEX internal.outbox_lane_idx RENAME TO outbox_ordering_key_idx;
COMMENT ON COLUMN internal.outbox.ordering_key IS
    'Rows of one key leave one after another, in the order of their ids; usually one conversation.';
COMMENT ON COLUMN internal.outbox.behind IS
    'Stood in the way of others while it waits for an earlier row of its key: passed over until it is the first. A hint.';
UPDATE public.webhook_events
   SET parsed_data = parsed_data - 'lane' || jsonb_build_object('ordering_key', parsed_data -> 'lane')
 WHERE parsed_data ? 'lane';
