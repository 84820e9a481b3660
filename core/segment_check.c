/*
 * Whether the parts of a log are what its device signed about them in bundles. All of them share
 * one tree: it grows over the entries in order, and behind a gap it is taken from the peaks of the
 * part that begins there. Where something does not fit it is given up, until a part begins anew: so
 * one thing that is wrong is told once, and not again for each part behind it.
 */
#include "core/store_internal.h"
#include "core/verify_internal.h"

struct part {
    int64_t row;
    uint64_t n0, n1;
};

struct pass {
    struct sk_store *store;
    const struct sk_log *log;
    sk_problem_fn *tell;
    void *context;
    struct sk_stmt *begins; /* parts by n0; of the one that comes, the row is at hand */
    struct sk_stmt *ends;   /* the same by n1 */
    struct part begin;      /* row 0: there is no further one */
    struct part end;
    uint64_t at; /* every entry from where the last gap ended up to here was seen */
    struct sk_merkle tree;
    bool known;       /* the tree is that of the entries before `at` */
    uint64_t covered; /* parts that began reach up to here */
    bool bare;        /* an entry since the last gap was told that is in no part */
};

static void tell_part(const struct pass *pass, const struct part *part, const char *what)
{
    char sentence[SK_ERROR_TEXT_MAX + 160];
    (void)snprintf(sentence, sizeof(sentence),
                   "entries %llu to %llu of the log of \"%s\", as they came in a bundle: %s",
                   (unsigned long long)part->n0, (unsigned long long)part->n1 - 1, pass->log->alias,
                   what);
    pass->tell(pass->context, sentence);
}

static void tell_entry(const struct pass *pass, uint64_t position, const char *what)
{
    char sentence[SK_ERROR_TEXT_MAX + 160];
    (void)snprintf(sentence, sizeof(sentence), "entry %llu of the log of \"%s\"%s",
                   (unsigned long long)position, pass->log->alias, what);
    pass->tell(pass->context, sentence);
}

static enum sk_status next_part(struct sk_stmt *stmt, struct part *out, struct sk_error *err)
{
    bool row = false;
    SK_TRY(sk_step(stmt, &row, err));
    *out = (struct part){.row = 0};
    if (row)
        *out = (struct part){.row = sk_column_int(stmt, 0),
                             .n0 = (uint64_t)sk_column_int(stmt, 1),
                             .n1 = (uint64_t)sk_column_int(stmt, 2)};
    return SK_OK;
}

/* The tree of the part that begins, held against the one at hand or taken for it. */
static void check_peaks(struct pass *pass)
{
    size_t len = 0;
    const uint8_t *peaks = sk_column_bytes(pass->begins, 3, &len);
    bool fits = len == sk_merkle_peak_count(pass->at) * SK_MERKLE_LEN;
    if (fits && pass->known)
        fits = memcmp(pass->tree.peaks, peaks, len) == 0;
    else if (fits)
        sk_merkle_from_peaks(&pass->tree, pass->at, peaks);
    if (!fits)
        tell_part(pass, &pass->begin, "the tree that they were signed to follow is another one");
    pass->known = fits;
}

/* The parts that begin before `limit`; those in a gap have no tree that could be looked at. */
static enum sk_status begin_parts(struct pass *pass, uint64_t limit, bool gap, struct sk_error *err)
{
    while (pass->begin.row && pass->begin.n0 < limit) {
        if (pass->begin.n1 > pass->covered)
            pass->covered = pass->begin.n1;
        if (!gap)
            check_peaks(pass);
        SK_TRY(next_part(pass->begins, &pass->begin, err));
    }
    return SK_OK;
}

/* The signed head of the part that ends, held against the row and, where it is known, the tree. */
static enum sk_status check_end(struct pass *pass, struct sk_error *err)
{
    const struct part *part = &pass->end;
    sk_auto_stmt stmt = NULL;
    bool row = false;
    struct sk_checkpoint head;
    struct sk_error why = SK_ERROR_INIT;
    uint8_t root[SK_MERKLE_LEN];
    SK_TRY(sk_db_prepare(pass->store->db, &stmt, "SELECT note, joined FROM segment WHERE id = ?1",
                         err));
    sk_bind_int(stmt, 1, part->row);
    SK_TRY(sk_step(stmt, &row, err));
    if (!row)
        return sk_fail(err, SK_DAMAGED, "the database lacks a part of a log");
    if ((sk_column_int(stmt, 1) != 0) != (part->n1 <= pass->log->size))
        tell_part(pass, part, "whether entries before them are missing is noted wrongly");
    if (sk_log_check_note(pass->log->log_id, pass->log->sign_public, sk_column_text(stmt, 0), &head,
                          &why) != SK_OK) {
        tell_part(pass, part, why.text);
    } else if (head.size != part->n1) {
        tell_part(pass, part, "the head that is kept with them is of another size");
    } else if (pass->known) {
        sk_merkle_root(&pass->tree, root);
        pass->known = memcmp(root, head.root, sizeof(root)) == 0;
        if (!pass->known)
            tell_part(pass, part, "they are not those that their head was signed for");
    }
    return SK_OK;
}

static enum sk_status end_parts(struct pass *pass, uint64_t upto, struct sk_error *err)
{
    while (pass->end.row && pass->end.n1 <= upto) {
        SK_TRY(check_end(pass, err));
        SK_TRY(next_part(pass->ends, &pass->end, err));
    }
    return SK_OK;
}

/* There are no entries from where the pass stands up to `next`. */
static enum sk_status cross_gap(struct pass *pass, uint64_t next, struct sk_error *err)
{
    uint64_t gone = pass->covered > pass->at ? pass->at : pass->begin.n0;
    bool lost = pass->covered > pass->at || (pass->begin.row && pass->begin.n0 < next);
    /* Of the part without a gap, sk_log_verify() tells it. */
    if (lost && gone >= pass->log->size)
        tell_entry(pass, gone, " is gone");
    pass->known = false;
    pass->bare = false;
    SK_TRY(begin_parts(pass, next, true, err));
    SK_TRY(end_parts(pass, next, err));
    pass->at = next;
    return SK_OK;
}

static enum sk_status take_entry(struct pass *pass, struct sk_stmt *stmt, struct sk_error *err)
{
    uint8_t bytes[SK_ENTRY_LEN];
    uint8_t leaf[SK_MERKLE_LEN];
    SK_TRY(sk_column_copy(stmt, 1, bytes, sizeof(bytes), err));
    SK_TRY(begin_parts(pass, pass->at + 1, false, err));
    bool bare = pass->at >= pass->log->size && pass->at >= pass->covered;
    if (bare && !pass->bare)
        tell_entry(pass, pass->at, ": what its device signed about it is gone");
    pass->bare = bare;
    if (pass->known) {
        sk_merkle_leaf(leaf, bytes, sizeof(bytes));
        sk_merkle_append(&pass->tree, leaf);
    }
    pass->at++;
    return end_parts(pass, pass->at, err);
}

static enum sk_status take_entries(struct pass *pass, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    SK_TRY(sk_db_prepare(pass->store->db, &stmt,
                         "SELECT id, bytes FROM entry WHERE id >= ?1 AND id < ?2 ORDER BY id",
                         err));
    sk_bind_int(stmt, 1, sk_entry_row(pass->log->id, 0));
    sk_bind_int(stmt, 2, sk_entry_row(pass->log->id + 1, 0));
    for (;;) {
        bool row = false;
        SK_TRY(sk_step(stmt, &row, err));
        uint64_t position =
            row ? sk_entry_row_position(sk_column_int(stmt, 0)) : (uint64_t)SK_POSITION_MAX;
        if (position != pass->at)
            SK_TRY(cross_gap(pass, position, err));
        if (!row)
            return SK_OK;
        SK_TRY(take_entry(pass, stmt, err));
    }
}

#define RANGE "n0 >= 0 AND n0 < n1 AND n1 < 1099511627776"

/* What is no range cannot be found among the entries. */
static enum sk_status check_ranges(const struct pass *pass, struct sk_error *err)
{
    sk_auto_stmt stmt = NULL;
    bool row = false;
    SK_TRY(sk_db_prepare(pass->store->db, &stmt,
                         "SELECT 1 FROM segment WHERE log = ?1 AND NOT (" RANGE ")", err));
    sk_bind_int(stmt, 1, pass->log->id);
    SK_TRY(sk_step(stmt, &row, err));
    if (row) {
        char sentence[SK_ERROR_TEXT_MAX];
        (void)snprintf(sentence, sizeof(sentence),
                       "data: which entries of the log of \"%s\" came in a bundle is noted wrongly",
                       pass->log->alias);
        pass->tell(pass->context, sentence);
    }
    return SK_OK;
}

enum sk_status sk_segment_check(struct sk_store *store, const struct sk_log *log,
                                sk_problem_fn *tell, void *context, struct sk_error *err)
{
    sk_auto_stmt begins = NULL;
    sk_auto_stmt ends = NULL;
    struct pass pass = {
        .store = store, .log = log, .tell = tell, .context = context, .known = true};
    sk_merkle_init(&pass.tree);
    SK_TRY(check_ranges(&pass, err));
    SK_TRY(sk_db_prepare(
        store->db, &begins,
        "SELECT id, n0, n1, peaks FROM segment WHERE log = ?1 AND " RANGE " ORDER BY n0", err));
    SK_TRY(sk_db_prepare(store->db, &ends,
                         "SELECT id, n0, n1 FROM segment WHERE log = ?1 AND " RANGE " ORDER BY n1",
                         err));
    sk_bind_int(begins, 1, log->id);
    sk_bind_int(ends, 1, log->id);
    pass.begins = begins;
    pass.ends = ends;
    SK_TRY(next_part(begins, &pass.begin, err));
    SK_TRY(next_part(ends, &pass.end, err));
    return take_entries(&pass, err);
}
