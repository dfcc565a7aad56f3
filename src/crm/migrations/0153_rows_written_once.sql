-- From where on the proof of the ledger takes a row of an import that was written twice for a failure.

SELECT lock_ledger();

ALTER TABLE meta ADD COLUMN rows_once_after bigint NOT NULL DEFAULT 0;
COMMENT ON COLUMN meta.rows_once_after IS 'The last position before claims with a digest became compare-and-set: a name that was written twice up to it is listed, one after it is a failure.';

UPDATE meta SET rows_once_after = coalesce((SELECT max(position) FROM events), 0);
