-- Keys that an archive has renewed (sync/FORMAT.md, "Renewed keys").
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
