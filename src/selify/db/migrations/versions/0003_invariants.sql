-- Invariants about history look at what is new, and once a day at everything, piece by piece.

CREATE TABLE internal.invariant_progress (
    invariant         text NOT NULL,
    checked_to        timestamptz,
    whole_started_at  timestamptz,
    whole_cursor      text NOT NULL DEFAULT '',
    whole_finished_at timestamptz,
    CONSTRAINT invariant_progress_pkey PRIMARY KEY (invariant)
);
COMMENT ON TABLE internal.invariant_progress IS
    'How far an invariant about history has been checked: the new since the last look, and the pass over the whole, which goes on where it was interrupted.';
COMMENT ON COLUMN internal.invariant_progress.whole_started_at IS
    'Null while no pass is under way.';

ALTER TABLE internal.invariant_findings
    ADD COLUMN seen_at timestamptz NOT NULL DEFAULT now();
COMMENT ON COLUMN internal.invariant_findings.seen_at IS
    'When the violation was last seen. A pass over the whole resolves what it has not seen.';
