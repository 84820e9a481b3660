-- One schema for a documenter's store (one log, its own) and an archive (many logs).
--
-- An entry is named by one number: log * 2^40 + position. Blobs that hold ranges are pairs of u64,
-- little-endian.

-- What this store is.
--   kind     1 documenter's, 2 archive
--   name     the archive's name; empty in a documenter's store
--   seed     Ed25519 seed: signs the log (documenter) or receipts (archive)
--   scalar   X25519 scalar: opens receipts (documenter) or bundles (archive)
CREATE TABLE meta(
    key TEXT PRIMARY KEY,
    value ANY NOT NULL
) STRICT, WITHOUT ROWID;

-- A device's log. `size` and `peaks` speak of the entries from 0 on without a gap.
CREATE TABLE log(
    id INTEGER PRIMARY KEY,
    log_id BLOB NOT NULL UNIQUE,     -- 32 bytes, hash of both keys
    sign_public BLOB NOT NULL,
    dh_public BLOB NOT NULL,
    alias TEXT NOT NULL,
    state INTEGER NOT NULL,          -- enum sk_log_state
    peer INTEGER,                    -- archive: the pair through which it came
    size INTEGER NOT NULL,
    peaks BLOB NOT NULL,             -- popcount(size) * 32 bytes
    note TEXT NOT NULL               -- newest signed checkpoint, of `size` in a documenter's store
) STRICT;

-- Roots of full subtrees of the part without a gap, from level 8 up: below, leaves are hashed again.
CREATE TABLE node(
    log INTEGER NOT NULL,
    level INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    hash BLOB NOT NULL,
    PRIMARY KEY (log, level, idx)
) STRICT, WITHOUT ROWID;

-- The 96 bytes that are hashed into the log; they outlive an erasure.
CREATE TABLE entry(
    id INTEGER PRIMARY KEY,          -- log * 2^40 + position
    item INTEGER NOT NULL,
    bytes BLOB NOT NULL
) STRICT;
CREATE INDEX entry_item ON entry(item);

-- What an entry commits to. Erasing deletes the row: text, salt and block hashes.
CREATE TABLE payload(
    id INTEGER PRIMARY KEY,          -- the entry's
    salt BLOB NOT NULL,
    hashes BLOB NOT NULL,            -- 32 bytes a block
    body_len INTEGER NOT NULL,       -- bytes of an attachment, 0 otherwise
    media INTEGER,                   -- where these bytes are
    text BLOB NOT NULL               -- JSON, exactly as hashed
) STRICT;

-- The newest state of each record, link and attachment. `id` is also the row of its words in `search`.
CREATE TABLE item(
    id INTEGER PRIMARY KEY,
    uid BLOB NOT NULL,               -- 16 random bytes
    log INTEGER NOT NULL,
    type INTEGER NOT NULL,
    revision INTEGER NOT NULL,       -- of the newest entry
    entry INTEGER NOT NULL,          -- the newest
    shown INTEGER NOT NULL,          -- the newest that is here and well formed; 0: none
    erased INTEGER NOT NULL,
    title TEXT NOT NULL              -- as in lists, of `shown`; empty once erased
) STRICT;
CREATE UNIQUE INDEX item_uid ON item(uid, log);

CREATE TABLE link(
    item INTEGER PRIMARY KEY,
    source BLOB NOT NULL,            -- uid
    role TEXT NOT NULL,
    target BLOB NOT NULL             -- uid
) STRICT;
CREATE INDEX link_source ON link(source);
CREATE INDEX link_target ON link(target);

CREATE TABLE attachment(
    item INTEGER PRIMARY KEY,
    record BLOB NOT NULL,            -- uid
    name TEXT NOT NULL,
    type TEXT NOT NULL,
    size INTEGER NOT NULL,
    sha256 BLOB NOT NULL
) STRICT;
CREATE INDEX attachment_record ON attachment(record);

-- An encrypted file under media/. Without its key it is noise.
CREATE TABLE media(
    id INTEGER PRIMARY KEY,
    name BLOB NOT NULL UNIQUE,       -- 16 random bytes; the file's name in hex
    key BLOB NOT NULL,
    size INTEGER NOT NULL            -- of the plain bytes
) STRICT;

-- Words of the newest revision of each record. No copy of the text: `text` is given again to delete.
CREATE VIRTUAL TABLE search USING fts5(
    text, content = '', columnsize = 0, tokenize = 'unicode61 remove_diacritics 2'
);

-- An entry that is well signed but not well formed: kept, not shown.
CREATE TABLE malformed(
    entry INTEGER PRIMARY KEY,
    reason TEXT NOT NULL
) STRICT;

-- A chain of one-time keys shared with one peer in one direction. `key` is that of index `next`;
-- keys of earlier indexes cannot be had from it.
CREATE TABLE chain(
    id INTEGER PRIMARY KEY,
    key BLOB NOT NULL,
    next INTEGER NOT NULL
) STRICT;

-- On the reading side, indexes below `next`: skipped ones (all keys wait for a late bundle) and spent
-- ones (the tag key and what was read under it).
CREATE TABLE chain_index(
    chain INTEGER NOT NULL,
    idx INTEGER NOT NULL,
    tag_key BLOB NOT NULL,
    mask_key BLOB,                   -- NULL once spent
    wrap_key BLOB,
    file_hash BLOB,                  -- of the file that spent it
    header_hash BLOB,
    n0 BLOB,                         -- that file's first 16 bytes
    PRIMARY KEY (chain, idx)
) STRICT, WITHOUT ROWID;

-- The other end: an archive, for a documenter's store; an invited device, for an archive.
CREATE TABLE peer(
    id INTEGER PRIMARY KEY,
    alias TEXT NOT NULL,
    archive_id BLOB UNIQUE,          -- documenter: hash of the archive's keys
    dh_public BLOB,                  -- documenter: the archive's keys
    sign_public BLOB,
    send INTEGER NOT NULL,           -- chains
    receive INTEGER NOT NULL,
    log INTEGER,                     -- archive: the log enrolled by the first bundle
    number INTEGER NOT NULL,         -- newest receipt written (archive) or taken (documenter)
    exported BLOB NOT NULL,          -- documenter: ranges that left in a finished file
    acknowledged BLOB NOT NULL,      -- documenter: ranges the archive says it stores
    wanted BLOB NOT NULL,            -- documenter: ranges the archive asks for
    receipt TEXT NOT NULL,           -- documenter: the newest receipt's note
    notice TEXT NOT NULL             -- archive: refused copies to be named in the next receipt
) STRICT;

-- Numbers given to exported bundles; a number is taken before the first byte is written.
CREATE TABLE export(
    number INTEGER PRIMARY KEY,
    n0 INTEGER NOT NULL,
    n1 INTEGER NOT NULL,
    done INTEGER NOT NULL
) STRICT;

-- A part of a log as its device signed it in one bundle. While `n0` stands beyond the log's size, the
-- peaks are what its entries will be held against when the gap closes.
CREATE TABLE segment(
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    n0 INTEGER NOT NULL,
    n1 INTEGER NOT NULL,
    peaks BLOB NOT NULL,             -- of n0
    note TEXT NOT NULL,              -- signed checkpoint at n1
    joined INTEGER NOT NULL,         -- whether the part without a gap reaches n1
    number INTEGER NOT NULL,         -- of the bundle
    header_hash BLOB NOT NULL        -- of its file
) STRICT;
CREATE INDEX segment_log ON segment(log, n0);

-- Bundles that were opened and verified but wait for a person: the inner stream, as a media file.
CREATE TABLE quarantine(
    id INTEGER PRIMARY KEY,
    log INTEGER NOT NULL,
    peer INTEGER NOT NULL,
    number INTEGER NOT NULL,         -- of the bundle
    n0 INTEGER NOT NULL,
    n1 INTEGER NOT NULL,
    reason TEXT NOT NULL,
    header_hash BLOB NOT NULL,
    media INTEGER NOT NULL
) STRICT;
