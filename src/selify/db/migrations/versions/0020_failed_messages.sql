-- What failed is looked for by account and kind, whatever kind that is.
DROP INDEX internal.outbox_lost_replies_idx;
CREATE INDEX outbox_failed_idx ON internal.outbox (account_id, (payload ->> 'kind'), id)
    WHERE state = 'failed';
-- Routines that took a turn of their own beside their slot.
DELETE FROM internal.routine_turns
 WHERE routine IN ('pruning', 'clocks', 'every/invariants', 'every/invariants of all time',
                   'every/photo addresses')
    OR routine LIKE 'invariant %';
