-- Keys that an archive has renewed (sync/FORMAT.md, "Renewed keys"), and forms of organisations (there, "Forms").
--
-- An archive has further rows in `meta`: `keys`, the number of the pair that stands in `seed` and `scalar` (u64;
-- without a row it is 0, the first); `id`, its archive id, once that is no longer the hash of that pair; `next`, while
-- there is a next pair: seed[32], scalar[32], u32 the day on which it was made.

-- Documenter: an archive's keys beside those in `peer`.
CREATE TABLE peer_key(
    peer INTEGER NOT NULL,
    state INTEGER NOT NULL,          -- 1 announced, bundles are sealed to them; 2 those before the ones in `peer`
    dh_public BLOB NOT NULL,
    sign_public BLOB NOT NULL,
    PRIMARY KEY (peer, state)
) STRICT, WITHOUT ROWID;

-- Archive: the newest of its own pairs of keys, by number, that a device is known to have: a log, since a bundle of
-- it was sealed to them; with log 0 every log of the pair, since the invite carried them. Without a row it is the first.
CREATE TABLE key_known(
    peer INTEGER NOT NULL,
    log INTEGER NOT NULL,
    number INTEGER NOT NULL,
    PRIMARY KEY (peer, log)
) STRICT, WITHOUT ROWID;

-- Forms of organisations: those that are offered, and those that stand in logs.

-- What an archive offers in its receipts (`peer` is 0), or a documenter's store had in receipts of the archive
-- `peer`. A form that is offered no more keeps its row, so that no older version comes in its place.
CREATE TABLE form(
    id INTEGER PRIMARY KEY,
    peer INTEGER NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB NOT NULL,              -- H(no key, "form", text)
    offered INTEGER NOT NULL,
    text BLOB NOT NULL,              -- JSON, exactly as hashed
    UNIQUE (peer, name)
) STRICT;

-- Entries of type 10 whose text is a form, and is here.
CREATE TABLE form_entry(
    entry INTEGER PRIMARY KEY,
    hash BLOB NOT NULL,
    name TEXT NOT NULL,
    version INTEGER NOT NULL
) STRICT;
CREATE INDEX form_entry_hash ON form_entry(hash);

-- Entries of records whose text is here and names such a form, whether it is here or not.
CREATE TABLE form_use(
    entry INTEGER PRIMARY KEY,
    hash BLOB NOT NULL
) STRICT;
CREATE INDEX form_use_hash ON form_use(hash);
