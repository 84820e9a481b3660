-- What a documenter's store purged, what an archive takes back from a device, and what it lacks.

-- Entries of which this store has removed what they commit to, since every archive has it. What hung on
-- something is known by ids alone, so that a withdrawal still takes it along.
CREATE TABLE purged(
    entry INTEGER PRIMARY KEY,
    source BLOB NOT NULL,            -- uid of a link's source or an attachment's record; else empty
    target BLOB NOT NULL             -- uid of a link's target; else empty
) STRICT;
CREATE INDEX purged_source ON purged(source) WHERE length(source) > 0;
CREATE INDEX purged_target ON purged(target) WHERE length(target) > 0;

-- From which position on an archive takes nothing of a log for its device's word. In an archive `peer` is 0;
-- in a documenter's store it is the archive that has said so.
CREATE TABLE revoked(
    log INTEGER NOT NULL,
    peer INTEGER NOT NULL,
    position INTEGER NOT NULL,
    day INTEGER NOT NULL,            -- when: the archive's or the receipt's
    PRIMARY KEY (log, peer)
) STRICT, WITHOUT ROWID;

-- Entries of an archive whose payload was not to be had out of a damaged bundle, or may not have been: the
-- next receipt asks for them. A row goes when the payload comes, when an intact bundle with the entry says
-- that there is none any more, and with what is erased.
CREATE TABLE lacking(
    entry INTEGER PRIMARY KEY
) STRICT;
