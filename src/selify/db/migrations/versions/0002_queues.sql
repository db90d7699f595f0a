-- Queues: turns between accounts and workspaces, and what kills a worker counted apart.

ALTER TABLE internal.outbox
    ADD COLUMN behind boolean NOT NULL DEFAULT false,
    ADD COLUMN lost integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT outbox_lost_check CHECK (lost >= 0);
COMMENT ON COLUMN internal.outbox.behind IS
    'Stood in the way of others while it waits for an earlier row of its lane: passed over until it is the first. A hint only; whether a row is the first is asked again when it is taken.';
COMMENT ON COLUMN internal.outbox.lost IS
    'How often the worker that was sending it stopped. Counted apart from its tries.';

ALTER TABLE internal.jobs
    ADD COLUMN lost integer NOT NULL DEFAULT 0,
    ADD CONSTRAINT jobs_lost_check CHECK (lost >= 0);
COMMENT ON COLUMN internal.jobs.lost IS
    'How often the worker that ran it stopped. Counted apart from its tries: mostly it is not the job''s fault.';

-- With these, the planner might walk everything that is due instead of one account's.
DROP INDEX internal.outbox_due_idx;
DROP INDEX internal.jobs_due_idx;
-- The claims: from one account (workspace) to the next, and the longest due of each. Rows that belong
-- to nobody share a turn of their own.
CREATE INDEX outbox_turn_idx ON internal.outbox
    (coalesce(account_id, '00000000-0000-0000-0000-000000000000'), not_before, id)
    WHERE state = 'queued' AND NOT behind;
CREATE INDEX outbox_unknown_idx ON internal.outbox
    (coalesce(account_id, '00000000-0000-0000-0000-000000000000'), not_before, id)
    WHERE state = 'unknown';
CREATE INDEX outbox_behind_idx ON internal.outbox (lane, id) WHERE behind AND state = 'queued';
CREATE INDEX jobs_turn_idx ON internal.jobs
    (coalesce(workspace_id, '00000000-0000-0000-0000-000000000000'), run_after, id)
    WHERE state = 'queued';
