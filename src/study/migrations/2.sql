-- What trials reported on the way, and which of them were stopped there.
ALTER TABLE trials ADD COLUMN curve TEXT;         -- JSON: the steps, and the figures of each metric after each step
ALTER TABLE trials ADD COLUMN stopped_at INTEGER; -- of finished trials that were stopped: the fidelity that they came to
ALTER TABLE trials ADD COLUMN expected TEXT;      -- JSON, of those: what the objectives were expected to come to at the end
