-- Logs that continue another: of a store that was restored from a backup, or repaired; and leaves of the
-- search index that fit a page.

-- What the key of a log has signed: `log_id` continues `old_id`, of which it knows the first `size`
-- entries. Stands in the log that says so, or in one that continues that log and carries the words on.
CREATE TABLE continuation(
    entry INTEGER PRIMARY KEY,       -- that says it
    log_id BLOB NOT NULL,
    old_id BLOB NOT NULL,
    size INTEGER NOT NULL,
    root BLOB NOT NULL               -- of `old_id` at `size`
) STRICT;
CREATE INDEX continuation_log ON continuation(log_id);

-- Made from `continuation`: which logs here hold the same records.
CREATE TABLE kin(
    log INTEGER NOT NULL,
    other INTEGER NOT NULL,
    relation INTEGER NOT NULL,       -- 1 `other` continues `log`, 2 `log` continues `other`, 3 both the same one
    prefer INTEGER NOT NULL,         -- whether a record that is the same in both is shown as `other`'s
    size INTEGER NOT NULL,           -- of 1 and 2: how many entries of the older log the newer one knows; else 0
    PRIMARY KEY (log, other)
) STRICT, WITHOUT ROWID;

-- A leaf of the index fills one page. FTS5 reckons with pages that have no reserved bytes: of ours, each
-- leaf would take a second one.
INSERT INTO search(search, rank) VALUES('pgsz', 4010);
