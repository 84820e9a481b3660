/*
 * Whole receipts, and several of them one after the other.
 */
#include "core/log.h"
#include "crypto/hash.h"
#include "tests/vectors/make/group.h"
#include "tests/vectors/make/paper.h"

#include <string.h>

static void make_honest_receipts(void)
{
    struct paper p = sk_paper();
    sk_vector_paper("honest", "everything is stored", "ok", &p);
    p = sk_paper();
    p.head = 3;
    sk_vector_paper("an older checkpoint", "the newest that the archive holds", "ok", &p);
    p = sk_paper();
    p.receipt.stored_count = 0;
    p.receipt.size = 0;
    sk_paper_root(0, p.receipt.root);
    p.head = UINT64_MAX;
    MUST(sk_ranges_add(&p.receipt.wanted, 0, 9, NULL) == SK_OK);
    sk_vector_paper("nothing yet", "no checkpoint; what is wanted is cut at the log's size", "ok",
                    &p);
    p = sk_paper();
    p.receipt.root[0] ^= 1;
    sk_vector_paper("another root", "the archive holds another history: nothing is acknowledged",
                    "ok", &p);
    p = sk_paper();
    p.receipt.size = 5;
    sk_vector_paper("more than the log has", "the store was put back: nothing is acknowledged",
                    "ok", &p);
    p = sk_paper();
    p.receipt.stored[0].root[0] ^= 1;
    sk_vector_paper("another root of a range", "each has to be the log's own", "ok", &p);
    p = sk_paper();
    p.receipt.revokes = true;
    p.receipt.revoked = 2;
    sk_vector_paper("revoked", "what was stored is acknowledged all the same", "ok", &p);
    p = sk_paper();
    p.receipt.revokes = true;
    p.receipt.revoked = 2;
    p.receipt.root[0] ^= 1;
    sk_vector_paper("revoked, with another root", "it is told, and nothing is kept", "ok", &p);
}

static void make_loose_receipts(void)
{
    struct paper p;
    p = sk_paper();
    p.head = UINT64_MAX;
    sk_vector_paper("no checkpoint", "it may be missing whatever the size is", "ok", &p);
    p = sk_paper();
    p.receipt.stored_count = 0;
    sk_vector_paper("size alone", "acknowledges nothing", "ok", &p);
    p = sk_paper();
    p.receipt.size = 2;
    sk_paper_root(2, p.receipt.root);
    sk_vector_paper("more stored than size", "the range is acknowledged", "ok", &p);
}

static void make_cosignatures(void)
{
    static const struct {
        const char *name, *shows, *class;
        uint64_t time;
        size_t len;
        bool first;
    } rows[] = {
        {"a cosignature before the signature", "in any order", "ok", 1728000000, 72, true},
        {"a cosignature at time 0", "the first second", "ok", 0, 72, false},
        {"a cosignature at 2^63 - 1", "the last second", "ok", INT64_MAX, 72, false},
        {"a cosignature at 2^63", "signed as it should be", "damaged", 1ull << 63, 72, false},
        {"a cosignature of 71 bytes", "a time and 64 bytes", "damaged", 1728000000, 71, false},
        {"a cosignature of 73 bytes", "a time and 64 bytes", "damaged", 1728000000, 73, false},
        {"a cosignature that is a signature", "of the other type", "damaged", 1728000000, 64,
         false},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct paper p = sk_paper();
        p.time = rows[i].time;
        p.cosigned = rows[i].len;
        p.cosigned_first = rows[i].first;
        sk_vector_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
}

/* ---- checkpoints ---- */

enum {
    SIGNED = 1,
    WRONG_SIGNED = 2, /* what is wrong is over another text */
    COSIGNED = 4,
    COSIGNED_LATER = 8,
    WRONG_COSIGNED = 16,
    FOURTH_LINE = 32,
    OTHER_LOG = 64,
    SHORT_COSIGNED = 128,
};

/* By the device; or, with a time, by the archive, of `len` bytes. */
static void add_line(struct paper *p, const char *text, uint64_t time, size_t len)
{
    char line[SK_NOTE_LINE_MAX];
    char origin[SK_ORIGIN_LEN];
    sk_log_origin(origin, sk_device.id);
    if (time > 0)
        sk_cosigned_line(line, text, strlen(text), time, len);
    else
        MUST(sk_note_sign(line, text, strlen(text), origin, sk_device.seed) == SK_OK);
    MUST(sk_buf_add_text(&p->checkpoint, line, NULL) == SK_OK);
}

/* Of the whole log, with the lines that are told. */
static void put_checkpoint(struct paper *p, unsigned how)
{
    struct sk_checkpoint head = {.size = 4};
    char text[2 * SK_CHECKPOINT_TEXT_MAX];
    char other[SK_CHECKPOINT_TEXT_MAX];
    sk_log_origin(head.origin, how & OTHER_LOG ? sk_stranger.id : sk_device.id);
    sk_paper_root(4, head.root);
    MUST(sk_checkpoint_format(text, &head) == SK_OK);
    head.size--;
    MUST(sk_checkpoint_format(other, &head) == SK_OK);
    if (how & FOURTH_LINE)
        memcpy(text + strlen(text), "more\n", 6);
    MUST(sk_buf_printf(&p->checkpoint, NULL, "%s\n", text) == SK_OK);
    if (how & SIGNED)
        add_line(p, text, 0, 0);
    if (how & WRONG_SIGNED)
        add_line(p, other, 0, 0);
    if (how & COSIGNED)
        add_line(p, text, 1728000000, 72);
    if (how & COSIGNED_LATER)
        add_line(p, text, 1728000001, 72);
    if (how & WRONG_COSIGNED)
        add_line(p, other, 1728000002, 72);
    if (how & SHORT_COSIGNED)
        add_line(p, text, 1728000003, 71);
}

static void make_checkpoints(void)
{
    static const struct {
        const char *name, *shows, *class;
        unsigned how;
    } rows[] = {
        {"a wrong signature of a checkpoint", "cosigned as it should be", "damaged",
         WRONG_SIGNED | COSIGNED},
        {"a checkpoint without its signature", "cosigned as it should be", "damaged", COSIGNED},
        {"a checkpoint without a cosignature", "signed as it should be", "damaged", SIGNED},
        {"a checkpoint of four lines", "signed and cosigned", "damaged",
         SIGNED | COSIGNED | FOURTH_LINE},
        {"a checkpoint of another log", "signed by this device, and cosigned", "damaged",
         SIGNED | COSIGNED | OTHER_LOG},
        {"a wrong cosignature beside the right one", "each has to be right", "damaged",
         SIGNED | COSIGNED | WRONG_COSIGNED},
        {"a cosignature of 71 bytes beside the right one", "each has to be right", "damaged",
         SIGNED | COSIGNED | SHORT_COSIGNED},
        {"a wrong signature beside the right one, in a checkpoint", "each has to be right",
         "damaged", SIGNED | WRONG_SIGNED | COSIGNED},
        {"two cosignatures", "of two times, each of them right", "ok",
         SIGNED | COSIGNED | COSIGNED_LATER},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct paper p = sk_paper();
        put_checkpoint(&p, rows[i].how);
        sk_vector_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
}

/* ---- numbers beyond the log ---- */

static void make_far_receipts(void)
{
    struct paper p = sk_paper();
    p.head = UINT64_MAX;
    p.edit = (struct sk_edit){SK_STAGE_INNER, SK_SET, -4, "00001000"};
    sk_vector_paper("a checkpoint beyond the stream", "it ends too early", "damaged", &p);
    p = sk_paper();
    p.head = UINT64_MAX;
    p.edit = (struct sk_edit){SK_STAGE_INNER, SK_SET, -4, "01001000"};
    sk_vector_paper("a checkpoint of 2^20 + 1 bytes", "longer than there can be", "limit", &p);
    p = sk_paper();
    p.receipt.stored_count = 0;
    p.receipt.size = 0;
    sk_vector_paper("size 0 with another root", "than that of no entries: another history", "ok",
                    &p);
    p = sk_paper();
    p.receipt.stored[0].to = INT64_MAX;
    sk_vector_paper("stored up to 2^63 - 1", "more than the log has", "ok", &p);
    p = sk_paper();
    MUST(sk_ranges_add(&p.receipt.wanted, INT64_MAX - 1, INT64_MAX, NULL) == SK_OK);
    sk_vector_paper("wanted far beyond the log", "cut to none", "ok", &p);
    p = sk_paper();
    MUST(sk_ranges_add(&p.receipt.wanted, 3, INT64_MAX, NULL) == SK_OK);
    sk_vector_paper("wanted up to 2^63 - 1", "cut to one", "ok", &p);
}

void sk_make_receipts(void)
{
    struct paper p;
    sk_make_form_receipts();
    sk_make_bare_receipts();
    make_honest_receipts();
    make_loose_receipts();
    make_far_receipts();
    make_cosignatures();
    make_checkpoints();
    p = sk_paper();
    p.signer = &sk_rival;
    sk_vector_paper("signed by another archive", "under this archive's name", "damaged", &p);
    p = sk_paper();
    p.cosigner = &sk_rival;
    sk_vector_paper("cosigned by another archive", "under this archive's name", "damaged", &p);
    p = sk_paper();
    p.device = &sk_stranger;
    sk_vector_paper("the checkpoint of another device", "cosigned as it should be", "damaged", &p);
    p = sk_paper();
    memcpy(p.receipt.archive_id, sk_rival.id, 32);
    sk_vector_paper("another archive's id", "signed as it should be", "refused", &p);
    p = sk_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    sk_vector_paper("for another log", "signed as it should be", "refused", &p);
    p = sk_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    p.cosigner = &sk_rival;
    sk_vector_paper("for another log, with a wrong cosignature", "ids come before the checkpoint",
                    "refused", &p);
    p = sk_paper();
    memcpy(p.receipt.log_id, sk_stranger.id, 32);
    p.signer = &sk_rival;
    sk_vector_paper("for another log, with a wrong signature", "the signature comes before ids",
                    "damaged", &p);
    p = sk_paper();
    p.index = 4096;
    sk_vector_paper("of no index that is searched", "no tag of this device", "refused", &p);
    p = sk_paper();
    p.index = 4096;
    p.edit = (struct sk_edit){SK_STAGE_FILE, SK_CUT, -1, NULL};
    sk_vector_paper("of no index that is searched, cut by a byte", "the length comes first",
                    "damaged", &p);
    static const struct {
        const char *name, *shows, *class;
        struct sk_edit edit;
    } rows[] = {
        {"nothing but zeros",
         "an empty note, which nobody has signed",
         "damaged",
         {SK_STAGE_INNER, SK_CUT, 0, NULL}},
        {"a note of 2^20 + 1 bytes",
         "longer than there can be",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "01001000"}},
        {"a note of 2^32 - 1 bytes",
         "as long as can be said",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "ffffffff"}},
        {"a note beyond the stream",
         "it ends too early",
         "damaged",
         {SK_STAGE_INNER, SK_SET, 0, "00001000"}},
        {"no note",
         "a length of 0: letters are read as the next length",
         "limit",
         {SK_STAGE_INNER, SK_SET, 0, "00000000"}},
        {"a changed letter", "of what is signed", "damaged", {SK_STAGE_INNER, SK_XOR, 100, "01"}},
        {"a form of 65,536 bytes beyond what is signed",
         "as long as there can be, and it has no line",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "00000100"}},
        {"a byte behind the checkpoint",
         "zeros to the end",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "0a"}},
        {"a byte behind the last form",
         "zeros behind a length of 0",
         "damaged",
         {SK_STAGE_INNER, SK_INSERT, -1, "0000000001"}},
        {"a NUL in the checkpoint",
         "its length goes beyond its text",
         "damaged",
         {SK_STAGE_INNER, SK_XOR, -2, "3d"}},
        {"a changed chunk of zeros",
         "nothing of it is needed, and it is looked at",
         "damaged",
         {SK_STAGE_FILE, SK_XOR, 140000, "01"}},
        {"a changed chunk", "its tag is wrong", "damaged", {SK_STAGE_FILE, SK_XOR, 70000, "01"}},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        p = sk_paper();
        p.edit = rows[i].edit;
        sk_vector_paper(rows[i].name, rows[i].shows, rows[i].class, &p);
    }
    sk_make_next_receipts();
}

/* ---- receipts, one after the other ---- */

/* Of the first `size` entries, and what is wanted of the rest. */
static json_t *numbered(const char *name, uint32_t index, uint64_t number, uint64_t size)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.size = p.head = size;
    p.receipt.stored[0].to = size;
    sk_paper_root(size, p.receipt.root);
    sk_paper_root(size, p.receipt.stored[0].root);
    if (size < 4)
        MUST(sk_ranges_add(&p.receipt.wanted, size, 4, NULL) == SK_OK);
    return sk_paper_file(name, &p);
}

/* All is stored, and the log is revoked from a position on. */
static json_t *revoking(const char *name, uint32_t index, uint64_t number, uint64_t revoked)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.revokes = true;
    p.receipt.revoked = revoked;
    return sk_paper_file(name, &p);
}

static json_t *damaged_copy(const char *name, long at)
{
    struct paper p = sk_paper();
    p.edit = (struct sk_edit){SK_STAGE_FILE, SK_XOR, at, "01"};
    return sk_paper_file(name, &p);
}

static void add_two(const char *name, const char *shows, json_t *first, json_t *second)
{
    sk_vector(name, shows, "ok", json_pack("[o, o]", first, second), NULL);
}

/* Of a store that has more than the device's: nothing of it counts. */
static json_t *of_another(const char *name, uint32_t index, uint64_t number)
{
    struct paper p = sk_paper();
    p.index = index;
    p.receipt.number = number;
    p.receipt.size = 5;
    return sk_paper_file(name, &p);
}

static void make_unspent(void)
{
    sk_vector("an older number leaves its index unspent", "another receipt under it is taken", "ok",
              json_pack("[o, o, o]", numbered("unspent 1", 1, 2, 2), numbered("unspent 2", 0, 1, 2),
                        numbered("unspent 3", 0, 3, 4)),
              NULL);
    add_two("of another log, then a lower number", "neither index nor number was noted",
            of_another("rollback 1", 0, 5), numbered("rollback 2", 0, 3, 4));
    add_two("an older number of another log", "both are told", numbered("both 1", 0, 5, 4),
            of_another("both 2", 1, 4));
}

void sk_make_receipt_sequences(void)
{
    sk_make_offers();
    sk_make_bare_sequences();
    make_unspent();
    add_two("in order", "the second acknowledges more", numbered("order 1", 0, 1, 2),
            numbered("order 2", 1, 2, 4));
    add_two("in reverse order", "a number that is not above the newest changes nothing",
            numbered("reverse 2", 1, 2, 4), numbered("reverse 1", 0, 1, 2));
    add_two("one number twice", "under another index: nothing changes",
            numbered("twice 1", 0, 1, 2), numbered("twice 2", 1, 1, 4));
    add_two("fewer entries than before", "what was acknowledged stays so",
            numbered("fewer 1", 0, 1, 4), numbered("fewer 2", 1, 2, 2));
    add_two("revoked, and then not", "a revocation is never taken back",
            revoking("back 1", 0, 1, 3), numbered("back 2", 1, 2, 4));
    add_two("revoked, and then later", "it never begins later", revoking("later 1", 0, 1, 3),
            revoking("later 2", 1, 2, 4));
    add_two("revoked, and then earlier", "it may begin earlier", revoking("earlier 1", 0, 1, 3),
            revoking("earlier 2", 1, 2, 0));
    add_two("revoked in an older receipt", "which changes nothing", numbered("stale 2", 1, 2, 4),
            revoking("stale 1", 0, 1, 3));
    json_t *first = numbered("same", 0, 1, 4);
    add_two("the same file twice", "it is known, and nothing happens", first, json_incref(first));
    add_two("another receipt under a spent index", "refused", numbered("spent 1", 0, 1, 2),
            numbered("spent 2", 0, 2, 4));
    add_two("a damaged copy first", "the index stays unspent", damaged_copy("copy", 70000),
            numbered("copy", 0, 1, 4));
    add_two("a copy with a damaged chunk of zeros first", "the index stays unspent",
            damaged_copy("zeros", 140000), numbered("zeros", 0, 1, 4));
    add_two("a damaged copy afterwards", "the index is spent", numbered("later", 0, 1, 4),
            damaged_copy("later", 70000));
    sk_make_next_receipt_sequences();
}
