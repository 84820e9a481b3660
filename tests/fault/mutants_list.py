"""The findings about the store, the answer to each as an edit that takes it out, and the test that has
to notice. `edits`: by source file, pairs of the text as it is and as it becomes."""

MUTANTS = []


def mutant(finding, name, test, case, edits):
    """One mutant; every edit names its file."""
    by_file = {}
    for file, old, new in edits:
        by_file.setdefault(file, []).append((old, new))
    MUTANTS.append({"finding": finding, "name": name, "test": test, "case": case, "edits": by_file})


VFS, MAIN, WAL, NOTE = "core/vfs.c", "core/vfs_main.c", "core/vfs_wal.c", "core/vfs_note.c"
LOG, PREAMBLE, DB = "core/vfs_log.c", "core/vfs_preamble.c", "core/db.c"

# ---- pages ----

mutant("torn page 1", "no-made-up-header", "core/vfs_tamper", "a_torn_page_1_is_in_the_log", [
    (MAIN, "len == VFS_HEADER_READ && !vfs->header_read", "false && !vfs->header_read")])
mutant("torn page 1", "made-up-header-each-time", "core/vfs",
       "the_first_header_read_of_a_torn_page_1", [
           (MAIN, "        vfs->header_read = true;\n", "")])
mutant("zeros are no page", "zeros-are-a-page", "core/vfs", "zeros_are_no_page", [
    (MAIN, "    if (!vfs_unseal(vfs, VFS_KIND_PAGE, NULL, page, out, out, len))\n",
     "    if (out[0] == 0 && memcmp(out, out + 1, vfs->page_size - 1) == 0)\n"
     "        return SQLITE_OK;\n"
     "    if (!vfs_unseal(vfs, VFS_KIND_PAGE, NULL, page, out, out, len))\n")])
mutant("reserved bytes are zero towards SQLite", "tag-towards-sqlite", "core/vfs",
       "slices_of_pages", [
           (MAIN, "    memset(out + len, 0, SK_PAGE_OVERHEAD);\n", "")])
mutant("reserved bytes that are not zero are refused", "reserved-bytes-taken", "core/vfs",
       "bad_writes_are_refused", [
           (VFS, "SK_PAGE_OVERHEAD, zeros, SK_PAGE_OVERHEAD) != 0)\n        return false;",
            "SK_PAGE_OVERHEAD, zeros, SK_PAGE_OVERHEAD) != 0)\n        return true;")])
mutant("reserved bytes that are not zero are refused", "reserved-bytes-taken-in-the-log", "core/vfs_wal",
       "bad_frames_are_refused", [
           (VFS, "SK_PAGE_OVERHEAD, zeros, SK_PAGE_OVERHEAD) != 0)\n        return false;",
            "SK_PAGE_OVERHEAD, zeros, SK_PAGE_OVERHEAD) != 0)\n        return true;")])
mutant("plaintext backup into an encrypted file", "any-page-taken", "core/vfs_sqlite",
       "a_backup_of_a_plain_database_is_refused", [
           (VFS, "    static const uint8_t zeros[SK_PAGE_OVERHEAD];\n    if (memcmp(",
            "    static const uint8_t zeros[SK_PAGE_OVERHEAD];\n    if (page)\n        return true;\n"
            "    if (memcmp(")])
mutant("SQLite's own buffer is left alone", "sealed-in-place", "core/vfs",
       "sqlites_buffer_is_left_alone", [
           (MAIN, "    vfs_seal(vfs, VFS_KIND_PAGE, NULL, page, vfs->sealed, plain,",
            "    memcpy(vfs->sealed, plain, vfs->page_size);\n"
            "    vfs_seal(vfs, VFS_KIND_PAGE, NULL, page, (uint8_t *)plain, plain,"),
           (MAIN, "xWrite(base, vfs->sealed, (int)vfs->page_size,",
            "xWrite(base, plain, (int)vfs->page_size,")])
mutant("partial reads are slices of a page", "slice-from-the-start", "core/vfs", "slices_of_pages", [
    (MAIN, "memcpy(out, to + within, len)", "memcpy(out, to, len)")])
mutant("partial writes are refused", "partial-write-taken", "core/vfs", "bad_writes_are_refused", [
    (MAIN, "(unsigned)amount != vfs->page_size ||\n        (uint64_t)offset % vfs->page_size != 0 ||",
     "")])
mutant("gap pages", "gap-is-a-hole", "core/vfs", "gaps_are_filled_with_sealed_zeros", [
    (MAIN, "    for (; rc == SQLITE_OK && next < page; next++)\n", "    for (; false; next++)\n")])
mutant("gap pages: the lock page at 1 GiB", "lock-page-is-a-hole", "core/db_saved",
       "the_page_at_1_gib_is_sealed", [
           (MAIN, "        rc = fill_gap(vfs, page);\n", "        rc = SQLITE_OK;\n")])
mutant("partial last page", "partial-page-as-zeros", "core/vfs", "a_partial_last_page_is_an_error", [
    (MAIN, "    if (rc == SQLITE_IOERR_SHORT_READ)\n        return SQLITE_IOERR_DATA;\n",
     "    if (rc == SQLITE_IOERR_SHORT_READ)\n        return memset(out, 0, vfs->page_size), SQLITE_OK;\n")])
mutant("partial last page", "written-behind-a-part", "core/vfs", "a_partial_last_page_is_an_error", [
    (MAIN, "if (next < page && size % vfs->page_size != 0)", "if (false)")])
mutant("partial last page", "closed-database-cut", "core/vfs_tamper",
       "a_closed_database_that_was_cut", [
           (MAIN, "size % vfs->page_size == 0 || vfs->preamble.needed > 0", "true")])
mutant("a database that was cut off", "too-short-taken", "core/vfs", "a_database_that_is_too_short", [
    (MAIN, "    if (size >= least)\n", "    if (size >= least || true)\n")])
mutant("a page is bound to its number", "page-without-number", "core/vfs",
       "a_page_opens_in_its_place_alone", [
           (VFS, "    sk_put_u64(ad + 40, place);\n", "    (void)place;\n")])
mutant("a page is bound to its store", "page-of-any-store", "core/vfs", "keys_and_ids_matter", [
    (VFS, "    memcpy(ad + 8, vfs->store_id, VFS_STORE_ID_LEN);\n", ""),
    (VFS, "options->store_id, VFS_STORE_ID_LEN);\n    return SK_OK;",
     "options->store_key, VFS_STORE_ID_LEN);\n    return SK_OK;")])
mutant("nonces are random", "nonce-repeats", "core/vfs", "the_same_page_never_looks_the_same", [
    ("crypto/aead.c", "    next_nonce(nonce);\n", "    memset(nonce, 7, SK_AEAD_NONCE_LEN);\n")])

# ---- what the VFS says and hides ----

mutant("size hints are swallowed", "hints-passed-on", "core/vfs", "it_claims_little", [
    (MAIN, "    case SQLITE_FCNTL_SIZE_HINT:\n    case SQLITE_FCNTL_CHUNK_SIZE:\n        return SQLITE_OK;\n",
     "    case SQLITE_FCNTL_SIZE_HINT:\n    case SQLITE_FCNTL_CHUNK_SIZE:\n")])
mutant("POWERSAFE_OVERWRITE passed on, nothing else claimed", "claims-all-for-data", "core/vfs",
       "it_claims_nothing_that_may_be_false", [
           (MAIN, "xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE",
            "xDeviceCharacteristics(base)")])
mutant("POWERSAFE_OVERWRITE passed on, nothing else claimed", "claims-all-for-the-log", "core/vfs",
       "it_claims_nothing_that_may_be_false", [
           (WAL, "xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE",
            "xDeviceCharacteristics(base)")])
mutant("POWERSAFE_OVERWRITE passed on, nothing else claimed", "powersafe-claimed-falsely", "core/vfs",
       "it_claims_nothing_that_may_be_false", [
           (MAIN, "xDeviceCharacteristics(base) & SQLITE_IOCAP_POWERSAFE_OVERWRITE",
            "xDeviceCharacteristics(base) | SQLITE_IOCAP_POWERSAFE_OVERWRITE")])
mutant("io_methods version 1", "later-version", "core/vfs", "it_claims_little", [
    (NOTE, "    .iVersion = 1,", "    .iVersion = 3,")])
mutant("planted rollback journal", "journal-is-seen", "core/vfs_tamper",
       "a_planted_journal_is_ignored", [
           (VFS, "    *out = 0;\n    if (!main && !wal)\n        return SQLITE_OK;\n", "")])
mutant("planted rollback journal", "journal-is-opened", "core/vfs", "other_files_are_refused", [
    (VFS, "    default:\n        return SQLITE_CANTOPEN;",
     "    default:\n        return open_base(file->vfs, path, file->base, flags, out_flags);")])
mutant("nameless file", "nameless-is-opened", "core/vfs", "other_files_are_refused", [
    (VFS, "    if (!path)\n        return SQLITE_CANTOPEN;\n",
     "    if (!path)\n        path = \"/disk/nameless\";\n"),
    (VFS, "    default:\n        return SQLITE_CANTOPEN;",
     "    default:\n        return open_base(file->vfs, path, file->base, flags, out_flags);")])

# ---- the write-ahead log ----

mutant("held header without a page", "header-not-held", "core/vfs_wal",
       "a_held_header_without_a_page_is_dropped", [
           (WAL, "wal->held_from == 0 && wal->held_to == vfs_frame_len(vfs)", "wal->held_from == 0")])
mutant("held header without a page", "header-of-another-frame", "core/vfs_wal",
       "a_held_header_without_a_page_is_dropped", [
           (WAL, "        wal->held_from = within;\n", "        wal->held_from = 0;\n")])
mutant("forged commit mark", "frames-without-tags", "core/vfs_forged",
       "a_commit_mark_is_forged_with_its_checksum", [
           ("crypto/aead.c", "    if (rc == 0 && len > 0)\n", "    rc = 0;\n    if (len > 0)\n")])
mutant("a frame that fails ends recovery", "bad-frame-stops-recovery", "core/vfs_wal",
       "damaged_frames_end_recovery_and_fail_reading", [
           (WAL, "    if (lost) {", "    if (true) {")])
mutant("a frame that fails is an error to readers", "bad-frame-reads-as-zeros", "core/vfs_wal",
       "damaged_frames_end_recovery_and_fail_reading", [
           (WAL, "    if (!opened) {\n        vfs_fault(vfs, vfs->wal_path, \"frame %llu is damaged\", "
            "(unsigned long long)frame);\n        return SQLITE_IOERR_READ;\n    }\n    memcpy(out, vfs->wal.frame + within",
            "    memcpy(out, vfs->wal.frame + within")])
mutant("headers and pages are rewritten alone", "no-rewriting", "core/vfs_wal",
       "headers_and_pages_are_rewritten_alone", [
           (WAL, "    if (frame <= wal->end) {\n", "    if (false) {\n")])
mutant("a frame is bound to its place", "frame-without-place", "core/vfs_wal",
       "a_frame_opens_in_its_place_alone", [
           (VFS, "    sk_put_u64(ad + 40, place);\n",
            "    sk_put_u64(ad + 40, kind == VFS_KIND_FRAME ? 0 : place);\n")])
mutant("old WAL", "any-log-is-ours", "core/vfs_tamper", "an_old_log_beside_a_newer_log", [
    (LOG, "    if (!same_id(vfs->wal.id, p->log_id))\n        return refuse_log(vfs, foreign_words);\n", "")])
mutant("old WAL", "log-beside-a-closed-database", "core/vfs_tamper",
       "an_old_log_beside_a_closed_database", [
           (LOG, "    if (opened && !begun && !spent)\n", "    if (false)\n")])
mutant("old WAL", "older-copy-of-the-log", "core/vfs_tamper", "an_older_copy_of_the_same_log", [
    (LOG, "    if (p->needed == 0)\n", "    if (p->needed > 0 || true)\n")])
mutant("old WAL", "needed-frames-not-noted", "core/vfs_tamper", "an_older_copy_of_the_same_log", [
    (LOG, "    return store_needed(vfs, vfs->wal.end);\n", "    return SQLITE_OK;\n")])
mutant("a missing WAL", "log-may-be-missing", "core/vfs_tamper", "a_missing_log", [
    (VFS, "!*out && vfs->preamble.running", "false"),
    (VFS, "    if (!there && vfs->preamble.running) {", "    if (false) {"),
    (LOG, "    if (size == 0)\n        return refuse_log(vfs, \"the write-ahead log is missing\");\n"
     "    if (!opened)\n", "    if (size == 0)\n        return SQLITE_OK;\n    if (!opened)\n")])
mutant("a sync that failed is not retried", "on-after-a-failed-log-sync", "core/vfs_wal",
       "nothing_is_written_after_a_failed_sync", [
           (WAL, "    else\n        vfs->broken = vfs->unsure = true;\n    return rc;\n}\n\n/* Puts the held",
            "    return rc;\n}\n\n/* Puts the held")])
mutant("a sync that failed is not retried", "on-after-a-failed-data-sync", "core/vfs_wal",
       "nothing_is_written_after_a_failed_sync", [
           (MAIN, "    if (rc != SQLITE_OK)\n        vfs->broken = true;\n", "")])
mutant("nothing reaches `data` before it is trusted", "checkpoint-before-trust", "core/db_saved",
       "nothing_is_checkpointed_before_trust", [
           (DB, "        {SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1},\n", "")])
mutant("the signed head is verified before the first checkpoint", "head-not-verified", "core/store",
       "test_recovery_refused", [
           ("core/store.c", "        SK_TRY(verify_heads(store, err));\n    SK_TRY(sk_db_trust",
            "        (void)verify_heads;\n    SK_TRY(sk_db_trust")])
mutant("the signed head is verified before the first checkpoint", "head-verified-too-late",
       "core/store", "test_recovery_refused", [
           ("core/store.c", "    if (sk_db_recovered(store->db) || sk_db_old(store->db))\n"
            "        SK_TRY(verify_heads(store, err));\n"
            "    SK_TRY(sk_db_trust(store->db, err));\n",
            "    bool recovered = sk_db_recovered(store->db);\n    SK_TRY(sk_db_trust(store->db, err));\n"
            "    if (recovered)\n        SK_TRY(verify_heads(store, err));\n")])

# ---- the database's settings ----

mutant("spilled temporary data", "temporary-data-in-files", "core/db_saved", "nothing_readable_is_left", [
    (DB, "; PRAGMA temp_store = MEMORY\"", "\"")])
mutant("ATTACH names", "attach-allowed", "core/db", "attach_is_refused", [
    (DB, "    (void)sqlite3_set_authorizer(db->handle, authorize, NULL);\n", "    (void)authorize;\n"),
    (DB, "    (void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);\n", "")])
mutant("ATTACH names", "no-authorizer", "core/db", "attach_is_refused_twice", [
    (DB, "    if (action == SQLITE_ATTACH || action == SQLITE_DETACH)\n", "    if (false)\n")])
mutant("ATTACH names", "no-limit", "core/db", "attach_is_refused_twice", [
    (DB, "    (void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);\n", "")])
mutant("URI names", "uris-read", "core/db", "uri_names_are_names", [
    ("core/db_library.c", "sqlite3_config(SQLITE_CONFIG_URI, 0)", "sqlite3_config(SQLITE_CONFIG_URI, 1)")])
mutant("VACUUM opens no file", "vacuum-allowed", "core/db", "vacuum_is_refused", [
    (DB, "    (void)sqlite3_limit(db->handle, SQLITE_LIMIT_ATTACHED, 0);\n", ""),
    (DB, "    if (action == SQLITE_ATTACH || action == SQLITE_DETACH)\n", "    if (false)\n")])
for pragma, other in [("synchronous = FULL", "synchronous = NORMAL"),
                      ("secure_delete = ON", "secure_delete = OFF"),
                      ("cell_size_check = ON", "cell_size_check = OFF"),
                      ("cache_size = -32000", "cache_size = -2000")]:
    mutant("the database's settings", pragma.split(" ")[0], "core/db", "settings", [
        (DB, f"PRAGMA {pragma};", f"PRAGMA {other};")])
for option in ["DEFENSIVE, 1", "TRUSTED_SCHEMA, 0"]:
    mutant("the database's settings", option.split(",")[0].lower(), "core/db", "settings", [
        (DB, f"        {{SQLITE_DBCONFIG_{option}}},\n", "")])
mutant("the page cache is wiped when freed", "memory-not-wiped", "core/db_saved", "freed_memory_is_wiped", [
    ("core/db_library.c", "    sk_wipe(p, malloc_usable_size(p));\n", "")])
mutant("erased words leave the index", "index-not-optimized", "core/search", "test_withdraw", [
    ("core/store.c", "    if (store->words_erased)\n        SK_TRY(forget_words(store, err));\n",
     "    (void)forget_words;\n")])
mutant("erased words leave the log", "log-not-cut", "core/search",
       "test_withdraw_leaves_no_old_page", [
    ("core/store.c", "sk_db_checkpoint(store->db, &why);", "SK_OK;")])

# ---- keys and media ----

mutant("slot parameters have a ceiling", "no-ceiling", "crypto/slot",
       "parameters_outside_the_limits_are_damage", [
           ("crypto/kdf.c", "params->memory_kib <= SK_KDF_MEMORY_KIB_MAX &&", "")])
mutant("slot parameters have a floor", "no-floor", "crypto/slot",
       "parameters_outside_the_limits_are_damage", [
           ("crypto/kdf.c", "params->memory_kib >= memory_floor &&", "")])
mutant("a chunk of an attachment is bound to its file", "media-without-name", "core/verify",
       "test_media_swapped", [
           ("core/media.c", "SK_LABEL_MEDIA, name, SK_MEDIA_NAME_LEN);", "SK_LABEL_MEDIA, name, 0);"),
           ("core/media.c", "sk_random(writer->key.bytes, sizeof(writer->key.bytes));",
            "memset(writer->key.bytes, 3, sizeof(writer->key.bytes));")])
mutant("media files that no row names are swept", "orphans-stay", "core/media", "test_sweep", [
    ("core/folder.c", "    return walk_both(store, NULL, NULL, err);\n", "    return SK_OK;\n")])

mutant("a file that no row names and no mark is kept", "unknown-swept", "core/media",
       "test_older_data_loses_no_file", [
           ("core/folder.c", "known ? OWNER_STORE : OWNER_UNKNOWN;",
            "known ? OWNER_STORE : OWNER_NOBODY;")])
mutant("what is to be erased is marked before", "erased-without-mark", "core/media",
       "test_erased_is_marked_before_the_commit", [
           ("core/media.c", "        sk_ignore(make_mark(paths.mark, NULL));\n", "")])
mutant("a mark stays as long as its file", "mark-goes-first", "core/media",
       "test_mark_stays_with_its_file", [
           ("core/media.c", "    SK_TRY(sk_file_remove(paths->file, err));\n",
            "    sk_ignore(sk_file_remove(paths->file, err));\n")])

# ---- what damage can be seen, and what cannot be written ----

mutant("a link in the place of a file", "links-followed", "core/damage", "other_things_in_their_place", [
    ("core/file.c", "    if (!found || (folder ?", "    if (!found || S_ISLNK(st.st_mode) || (folder ?")])
mutant("old pages of an index", "indexes-not-compared", "core/damage_mixed", "old_pages_put_back", [
    (DB, "\"PRAGMA integrity_check\"", "\"PRAGMA quick_check\"")])
mutant("old pages of the search index", "words-not-compared", "core/damage_mixed", "old_pages_put_back", [
    ("core/verify.c", "    if (!same && !check->told)\n", "    if (false)\n")])
mutant("a page that a checkpoint was writing is in the log", "torn-page-missed", "core/vfs_wal",
       "pages_that_the_log_has_are_not_missed", [
           (MAIN, "        rc = vfs_wal_find_page(vfs, page, &in_log);\n",
            "        in_log = false;\n        rc = SQLITE_OK;\n")])
mutant("a refused store keeps the files it had", "empty-log-stays", "core/store", "test_newer_schema", [
    (WAL, "    if (unused) /*", "    if (unused && false) /*")])
mutant("a newer schema is refused", "newer-schema-taken", "core/store", "test_newer_schema", [
    (DB, "    if (db->schema > newest_schema())\n", "    if (false)\n")])
mutant("a migration is one transaction", "step-without-transaction", "core/migrate",
       "a_step_that_fails_changes_nothing", [
           (DB, "    SK_TRY(sk_txn_begin(&txn, db, err));\n    SK_TRY(sk_db_exec(db, step->text, err));\n",
            "    SK_TRY(sk_db_exec(db, step->text, err));\n    SK_TRY(sk_txn_begin(&txn, db, err));\n")])

# ---- logs that continue one another ----

ERASE, APPLY, CONTINUATION = "core/erase.c", "core/apply.c", "core/continuation.c"
PARTS = "core/segment_check.c"

mutant("a backup older than a withdrawal is restored", "heirs-keep-what-was-withdrawn", "sync/withdrawn",
       "what_was_withdrawn_stays_away", [
           (ERASE, "    if (!there)\n", "    if (true)\n")])
mutant("a backup older than a withdrawal is restored", "withdrawn-text-taken-again", "sync/withdrawn",
       "what_was_withdrawn_stays_away", [
           (APPLY, "    *out = sk_entry_row_position(entry_row) >= below;\n", "    *out = true;\n")])
mutant("a backup older than a withdrawal is restored", "late-entries-erase-nothing", "sync/withdrawn",
       "an_heir_of_the_heir", [
           (APPLY, "    return sk_item_touched(store, state->row, err);\n", "    return SK_OK;\n")])
mutant("a change in the restored store is kept", "heirs-lose-all", "sync/withdrawn",
       "what_was_withdrawn_stays_away", [
           (ERASE, "    bool hidden = state.shown <= last;\n", "    bool hidden = true;\n    last = INT64_MAX;\n")])
mutant("what hangs on a withdrawn record in the old log", "dependents-stay", "sync/withdrawn",
       "dependents_old_first", [
           (ERASE, "CROSS JOIN attachment ON attachment.record = pair.uid",
            "CROSS JOIN attachment ON attachment.record = 0")])
mutant("what hangs on a withdrawn record in the old log", "later-dependents-stay", "sync/withdrawn",
       "dependents_new_first", [
           (APPLY, "    return withdrawn ? sk_item_erase(", "    return false ? sk_item_erase(")])
mutant("the old log goes on after it was continued", "old-log-overrides", "sync/withdrawn",
       "the_old_log_goes_on_old_first", [
           (CONTINUATION, "min(below.size) FROM below", "1 << 40 FROM below")])
mutant("what came in a bundle is what its device signed", "parts-not-compared", "sync/segment",
       "verify_names_a_part_behind_a_gap", [
           (PARTS, "memcmp(root, head.root, sizeof(root)) == 0;", "true;")])
mutant("what came in a bundle is what its device signed", "peaks-of-the-log-not-compared", "sync/segment",
       "verify_names_a_part_of_the_log", [
           (PARTS, "memcmp(pass->tree.peaks, peaks, len) == 0;", "true;")])
mutant("what came in a bundle is what its device signed", "parts-that-are-gone", "sync/segment",
       "verify_names_a_part_behind_a_gap", [
           (PARTS, "    if (bare && !pass->bare)\n", "    if (false)\n")])
mutant("one thing that is wrong is told once", "told-for-each-part", "sync/segment",
       "verify_names_a_part_of_the_log", [
           (PARTS, "        pass->known = memcmp(root, head.root, sizeof(root)) == 0;\n"
            "        if (!pass->known)\n", "        if (memcmp(root, head.root, sizeof(root)) != 0)\n")])
mutant("verify compares which logs are related", "kin-not-compared", "sync/withdrawn",
       "verify_compares_relations", [
           (CONTINUATION, "    else if (different > 0)\n", "    else if (false)\n")])
mutant("a statement that is found out", "what-a-lie-erased-stays-away", "sync/continuation",
       "what_a_lie_withdrew_comes_again", [
           (CONTINUATION, "    if (dropped)\n", "    if (false)\n")])
mutant("a statement that was withdrawn", "erased-statements-count", "sync/statements",
       "a_statement_that_is_withdrawn", [
           (ERASE, "    SK_TRY(sk_continuation_forget(store, item, last, err));\n", "")])
mutant("a statement under the id of a record", "retyped-statements-count", "sync/statements",
       "a_statement_that_is_none", [
           (APPLY, "    SK_TRY(sk_continuation_forget(store, state->row, INT64_MAX, err));\n", "")])
mutant("each of two logs continues the other", "ended-relations-still-erase", "sync/statements",
       "each_continues_the_other", [
           (CONTINUATION, "dropped || ended > 0;", "dropped;")])
mutant("which of several logs is preferred", "later-log-is-preferred", "sync/continuation",
       "an_heir_that_comes_late_hides_nothing", [
           (CONTINUATION, "(dy.of, y.id) > (dx.of, x.id)", "y.id > x.id")])
mutant("a NUL is no blank of JSON", "nul-passed-over", "core/json", "near_json_is_refused", [
    ("core/json.c", "    SK_TRY(check_nul(piece, err));\n", "    (void)check_nul;\n")])
mutant("a later revision waits for its form", "verify-calls-it-still-here", "sync/forms",
       "what_waits_for_its_form_is_not_what_was_withdrawn", [
           ("core/verify.c", "    if (row->erased && row->erased != SK_ERASED_INHERITED)\n",
            "    if (row->erased)\n")])
mutant("a later revision waits for its form", "an-older-one-comes-up-with-the-form", "sync/purge",
       "none_comes_up_with_its_form", [
           ("core/purge.c", "if (id >= out->state.shown)", "if (id == out->state.shown)")])
mutant("a form goes, and comes again", "formless-is-not-withdrawn", "sync/forms",
       "what_waits_for_its_form_is_not_what_was_withdrawn", [
           (APPLY, "            return sk_item_erase_inherited(store, item, err);\n",
            "            return SK_OK;\n")])
mutant("what hung on a withdrawn record turns out to be none", "hanging-for-ever", "sync/import_liar",
       "a_link_that_is_none", [
           (APPLY, "\"UPDATE item SET erased = 0 WHERE id = ?1", "\"UPDATE item SET erased = 2 WHERE id = ?1")])
mutant("a malformed revision behind a withdrawal in the old log", "inherited-is-withdrawn", "sync/import_liar",
       "between_two_that_were_withdrawn", [
           ("core/verify.c", "    if (row->erased && row->erased != SK_ERASED_INHERITED)\n",
            "    if (row->erased)\n")])
mutant("a log that waits is related at once", "waiting-log-is-a-stranger", "sync/continuation",
       "a_log_that_waits_is_related", [
           ("sync/import.c", "    SK_TRY(sk_continuation_settle(a->store, log->log_id, err));", "")])
mutant("an entry of an unknown kind is told as lost", "unknown-passed-over", "core/succession",
       "an_entry_of_an_unknown_kind_is_told", [
           ("core/remains_proof.c", "    set_unknown(&p);\n", "")])

# ---- repair ----

mutant("repair takes nothing that contradicts the signed head", "contrary-is-unproven", "core/succession",
       "a_forged_entry_does_not_come_back_beside_another", [
           ("core/remains_proof.c", "if (undone || at->verdict == VERDICT_CONTRARY)\n            at->verdict = VERDICT_REFUSED;",
            "if (undone || at->verdict == VERDICT_CONTRARY)\n"
            "            at->verdict = undone ? VERDICT_REFUSED : VERDICT_UNPROVEN;")])
mutant("repair marks what it cannot prove", "no-mark", "core/succession",
       "what_is_not_proven_is_marked_for_ever", [
           ("core/succession.c", "    entry->unproven = true;\n", "")])
mutant("repair takes nothing that was never committed", "undone-is-unproven", "core/succession_pages",
       "what_no_commit_ended_does_not_come_back", [
           ("core/remains_proof.c", "at->verdict == VERDICT_UNPROVEN && !sk_pages_marked(p->r->pages, at->view, at->page);",
            "false;")])
mutant("a failed read is no damage", "unread-not-counted", "core/succession_pages",
       "a_read_that_fails_is_no_damage", [
           ("core/vfs_pages.c", "    pages->state.unread += status == SK_IO;\n    return status == SK_OK;",
            "    return status == SK_OK;")])
mutant("repair tells of a log it did not use", "unused-log-is-silent", "core/succession_pages",
       "a_log_that_is_not_used_is_told", [
           ("core/vfs_pages.c", "(begun && !spent)", "false")])

mutant("frames behind one that does not open", "gap-ends-the-log", "core/vfs_tamper", "a_frame_that_was_lost", [
    (WAL, "        rc = vfs_chain_lost(vfs, frame, &lost);\n", "        lost = false;\n")])
mutant("a crash may leave frames behind one that does not open", "each-gap-is-damage", "core/vfs_crash",
       "power fails, torn pages", [
           ("core/vfs_chain.c", "*lost = ended != 0 &&", "*lost = true || ended != 0 &&")])
mutant("a log that has begun and has frames", "first-frame-alone-looked-at", "core/vfs_tamper",
       "a_log_without_preamble_and_first_frame", [
           (LOG, "vfs_chain_any(vfs, &frame_opened)", "vfs_wal_load_frame(vfs, 1, &frame_opened)")])
mutant("a log without a frame is verified", "empty-log-trusted", "core/vfs_tamper", "a_log_without_a_frame", [
    (LOG, "    vfs->recovered = true;\n", "")])
mutant("frames of a log that lost its head", "headless-log-not-read", "core/succession_pages",
       "a_log_that_lost_its_head", [
           ("core/vfs_pages.c", "known && p.running && !opened &&", "false &&")])
mutant("peaks stand in for what is lost", "no-peaks", "core/succession_pages",
       "peaks_prove_what_is_older", [
           ("core/remains_rows.c", "    return keep_peaks(r, ", "    return true ? SK_OK : keep_peaks(r, ")])
mutant("the one whole copy of a page stays", "bad-page-kept", "core/rekey_states",
       "test_a_bad_page_is_in_the_other", [
           ("core/vfs_copy.c", "        SK_TRY(mend_page(&copy, page, err));\n", "        (void)mend_page;\n")])
mutant("an older page does not take a newer one's place", "old-page-put", "core/rekey_states",
       "test_a_bad_page_is_in_the_other", [
           ("core/vfs_copy.c", "found && preamble.epoch <= VFS_COPY_COUNT", "found")])

# ---- what an archive has only the entries of ----

PURGE, TAKE, LACKING = "sync/purge.c", "sync/receipt_take.c", "core/lacking.c"

mutant("an archive has the entry and not what it says", "bare-is-purged", "sync/purge",
       "what_an_archive_has_only_the_entry_of_stays", [
           (PURGE, "    SK_TRY(except_list(bare, bare->count == SK_RECEIPT_LIST_MAX, out, err));\n", "")])
mutant("an archive has the entry and not what it says", "bare-is-not-sent", "sync/purge",
       "what_an_archive_has_only_the_entry_of_stays", [
           (TAKE, "return sk_ranges_unite(out, &here, err);", "return SK_OK;")])
mutant("a withdrawal that counts no more", "void-withdrawals-are-not-told", "sync/revoke",
       "what_a_void_withdrawal_took_is_sent_by_itself", [
           (LACKING, "item.erased <> ?3 ORDER BY", "item.entry < ?3 ORDER BY")])
mutant("what a related log withdrew", "withdrawn-is-purged", "sync/revoke",
       "what_a_related_log_withdrew_is_told_and_stays", [
           (PURGE, "    SK_TRY(except_list(withdrawn, withdrawn->count == SK_RECEIPT_LIST_MAX, out, err));\n", "")])
mutant("a list of a receipt that is full", "cut-list-of-withdrawn-covers", "sync/purge",
       "nor_behind_a_thousand_that_a_related_log_withdrew", [
           (PURGE, "withdrawn->count == SK_RECEIPT_LIST_MAX", "withdrawn->count > SK_RECEIPT_LIST_MAX")])
mutant("a list of a receipt that is full", "cut-list-covers", "sync/purge",
       "nothing_is_covered_behind_a_list_that_may_have_been_cut", [
           (PURGE, "bare->count == SK_RECEIPT_LIST_MAX", "bare->count > SK_RECEIPT_LIST_MAX")])
mutant("a list of a receipt that is full", "cut-remarks-cover", "sync/purge",
       "nor_behind_a_thousand_that_were_set_aside", [
           (PURGE, "receipt->remark_counts[SK_REMARK_MALFORMED] == SK_RECEIPT_LIST_MAX", "false")])
