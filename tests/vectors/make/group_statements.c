/*
 * Continuations: what a log says of itself and of others, and what an archive holds by then.
 */
#include "tests/vectors/make/line.h"

#include <string.h>

/* A statement that `log` continues `old`, at a position of the device's log of four entries. */
static const struct {
    const char *name, *shows;
    const struct sk_fixed_party *log, *old;
    unsigned position;
    uint64_t size;
    uint32_t revision;
    bool empty; /* the root is that of the empty tree, else none that a log has */
    struct part parts[PARTS_MAX];
} statements[] = {
    {"a log that continues another",
     "its first entry says so",
     &sk_device,
     &sk_stranger,
     0,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a first entry about another log",
     "it speaks of its own",
     &sk_rival,
     &sk_stranger,
     0,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a second entry about its own log",
     "only the first speaks of it",
     &sk_device,
     &sk_stranger,
     1,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a second entry about another log",
     "it may have been taken over; it is kept, and does not count",
     &sk_rival,
     &sk_stranger,
     1,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a log that continues itself",
     "no two logs",
     &sk_device,
     &sk_device,
     0,
     0,
     1,
     true,
     {{0, 4, 0, 0}}},
    {"a continuation of revision 7",
     "the revision is not looked at",
     &sk_rival,
     &sk_stranger,
     1,
     4,
     7,
     false,
     {{0, 4, 0, 0}}},
    {"size 0 of a known log with another root",
     "than that of the empty tree",
     &sk_rival,
     &sk_device,
     1,
     0,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"size 0 of a known log",
     "the empty tree",
     &sk_rival,
     &sk_device,
     1,
     0,
     1,
     true,
     {{0, 4, 0, 0}}},
    {"size 0 of an unknown log with another root",
     "nobody can tell",
     &sk_device,
     &sk_stranger,
     0,
     0,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"a continuation looked at again",
     "two entries are not there yet; then they have another root",
     &sk_rival,
     &sk_device,
     1,
     3,
     1,
     false,
     {{0, 2, 0, 0}, {2, 4, 1, 0}}},
    {"a continuation behind a gap",
     "the entries before it come later and have another root",
     &sk_rival,
     &sk_device,
     3,
     2,
     1,
     false,
     {{2, 4, 1, 0}, {0, 2, 0, 0}}},
    {"another root at all that is held",
     "as many entries as the statement says",
     &sk_rival,
     &sk_device,
     1,
     4,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"another root at one more than is held",
     "nobody can tell yet",
     &sk_rival,
     &sk_device,
     1,
     5,
     1,
     false,
     {{0, 4, 0, 0}}},
    {"size 0 of a log that waits, with another root",
     "it is known, and none of its entries need be held",
     &sk_device,
     &sk_stranger,
     0,
     0,
     1,
     false,
     {{1, 4, 0, 0}, {1, 1, 1, 0}, {0, 4, 2, 0}}},
    {"size 0 of a log that waits later, with another root",
     "it is looked at again as soon as the log is known",
     &sk_device,
     &sk_stranger,
     0,
     0,
     1,
     false,
     {{0, 4, 0, 0}, {1, 1, 1, 0}}},
    {"size 0 of a log that waits",
     "the empty tree",
     &sk_device,
     &sk_stranger,
     0,
     0,
     1,
     true,
     {{0, 4, 0, 0}, {1, 1, 1, 0}}},
    {"another root of a log that waits",
     "none of its entries is held",
     &sk_device,
     &sk_stranger,
     0,
     1,
     1,
     false,
     {{0, 4, 0, 0}, {1, 1, 1, 0}}},
};

static void statement(char text[static SK_CONTINUATION_TEXT], const struct sk_fixed_party *log,
                      const struct sk_fixed_party *old, uint64_t size, bool empty)
{
    struct sk_continuation c = {.size = size};
    struct sk_merkle tree;
    memcpy(c.log_id, log->id, 32);
    memcpy(c.old_id, old->id, 32);
    memcpy(c.sign_public, old->sign_public, 32);
    memcpy(c.dh_public, old->dh_public, 32);
    memset(c.root, 0x2b, 32);
    sk_merkle_init(&tree);
    if (empty)
        sk_merkle_root(&tree, c.root);
    sk_continuation_sign(&c, old->seed);
    sk_continuation_text(text, &c);
}

static void make_statement(size_t i)
{
    char text[SK_CONTINUATION_TEXT];
    struct line log[LINES] = {SOURCE_LINE, EVENT_LINE, LINK_LINE, ATTACHMENT_LINE};
    statement(text, statements[i].log, statements[i].old, statements[i].size, statements[i].empty);
    uint8_t mix = statements[i].revision > 1; /* it names a revision before */
    log[statements[i].position] = (struct line){
        SK_TYPE_CONTINUATION, 11, statements[i].revision, text, NULL, mix ? 64 : 0, mix};
    sk_vector_log(statements[i].name, statements[i].shows, log, statements[i].parts);
}

/* About the log that it stands in, of which as many entries are held. */
static void make_exact(void)
{
    static const struct part all[PARTS_MAX] = {{0, 2, 0, 0}};
    static struct sk_draft before;
    char text[SK_CONTINUATION_TEXT];
    struct sk_continuation c = {.size = 1};
    struct line log[LINES] = {SOURCE_LINE};
    sk_draft_init(&before, "before");
    sk_draft_entry(&before, log[0].type, log[0].id, log[0].revision);
    sk_draft_payload(&before, 0, log[0].text, strlen(log[0].text), NULL);
    sk_merkle_leaf(c.root, before.entries[0], SK_ENTRY_LEN);
    sk_draft_clear(&before);
    memcpy(c.log_id, sk_rival.id, 32);
    memcpy(c.old_id, sk_device.id, 32);
    memcpy(c.sign_public, sk_device.sign_public, 32);
    memcpy(c.dh_public, sk_device.dh_public, 32);
    sk_continuation_sign(&c, sk_device.seed);
    sk_continuation_text(text, &c);
    log[1] = (struct line){SK_TYPE_CONTINUATION, 11, 1, text, NULL, 0, 0};
    sk_vector_log("the root of a known log", "it has it at that size", log, all);
}

#define MANY 65

/* So many entries: what the first says of its own log, and then the same about two other logs, but
 * for what the second says, if it is not NULL. */
static void put_many(struct line *log, unsigned count, const char *second)
{
    static char own[SK_CONTINUATION_TEXT];
    static char other[SK_CONTINUATION_TEXT];
    statement(own, &sk_device, &sk_stranger, 4, false);
    statement(other, &sk_rival, &sk_stranger, 4, false);
    for (unsigned i = 0; i < count; i++) {
        const char *text = i == 0 ? own : i == 1 && second ? second : other;
        log[i] = (struct line){SK_TYPE_CONTINUATION, (uint8_t)(i + 1), 1, text, NULL, 0, 0};
    }
}

/* What its own first entry says, and then the same about two other logs again and again. */
static void make_many(void)
{
    static const struct part all[PARTS_MAX] = {{0, MANY, 0, 0}};
    static const struct part later_first[PARTS_MAX] = {{33, MANY, 1, 0}, {0, 33, 0, 0}};
    static const struct part payloads_later[PARTS_MAX] = {{0, MANY, 0, 0xffffffff}, {0, 32, 1, 0}};
    static struct line log[MANY + 1];
    put_many(log, MANY, NULL);
    sk_vector_log("65 continuations", "the last is one too many", log, all);
    sk_vector_log("65 continuations, the later ones first", "the last that came is one too many",
                  log, later_first);
    sk_vector_log("65 continuations, of which some payloads come later",
                  "payloads count, and not entries", log, payloads_later);
}

/* A source at position 1, and under its id a continuation: it is of another type. */
static void make_many_types(void)
{
    static const struct part all[PARTS_MAX] = {{0, MANY + 1, 0, 0}};
    static const struct line source = {SK_TYPE_SOURCE, 0x70, 1, RECORD("source", "S"), NULL, 0, 0};
    static struct line log[MANY + 2];
    put_many(log, MANY + 1, NULL);
    log[1] = source;
    log[2].id = 0x70;
    log[2].revision = 2;
    sk_vector_log("64 continuations, and one under the id of a source", "that one does not count",
                  log, all);
}

/* 64, of which one turns out to be wrong with the second bundle, at whose end this is seen; two
 * more in that one, and two in a third. */
static void make_many_dropped(void)
{
    static const struct part parts[PARTS_MAX] = {
        {0, MANY - 1, 0, 0}, {MANY - 1, MANY + 1, 1, 0}, {MANY + 1, MANY + 3, 2, 0}};
    static char wrong[SK_CONTINUATION_TEXT];
    static struct line log[MANY + 4];
    statement(wrong, &sk_rival, &sk_device, MANY + 1, false);
    put_many(log, MANY + 3, wrong);
    sk_vector_log("64 continuations, of which one turns out to be wrong, and more",
                  "that is seen at the end of a bundle: it makes room for one of the next", log,
                  parts);
}

/* 64, of which the second is erased, and two more. With `late`, the erasure comes first. */
static void make_many_erased(const char *name, const char *shows, bool late)
{
    static const struct part parts[2][PARTS_MAX] = {
        {{0, MANY - 1, 0, 0}, {MANY - 1, MANY + 2, 1, 0}},
        {{MANY - 1, MANY, 1, 0}, {0, MANY - 1, 0, 0}, {MANY, MANY + 2, 2, 0}}};
    static struct line log[MANY + 3];
    put_many(log, MANY + 2, NULL);
    /* of type 8, since none may name type 11 */
    log[MANY - 1] = (struct line)ERASURE_LINE(2, 2, 4, SK_TYPE_CONTINUATION ^ SK_TYPE_ATTACHMENT);
    sk_vector_log(name, shows, log, parts[late]);
}

/* 65 in one bundle, of which the second is wrong by what is held then. */
static void make_many_wrong_at_once(void)
{
    static const struct part all[PARTS_MAX] = {{0, MANY, 0, 0}};
    static char wrong[SK_CONTINUATION_TEXT];
    static struct line log[MANY + 1];
    statement(wrong, &sk_rival, &sk_device, 1, false);
    put_many(log, MANY, wrong);
    sk_vector_log("65 continuations, of which one is wrong", "it takes none of the 64 places", log,
                  all);
}

/* 66, of which the second is wrong by what the second bundle joins: that is seen at its end. */
static void make_many_joined(void)
{
    static const struct part parts[PARTS_MAX] = {{33, MANY + 1, 1, 0}, {0, 33, 0, 0}};
    static char wrong[SK_CONTINUATION_TEXT];
    static struct line log[MANY + 2];
    statement(wrong, &sk_rival, &sk_device, MANY + 1, false);
    put_many(log, MANY + 1, wrong);
    sk_vector_log("66 continuations, of which one is wrong by what is joined",
                  "it takes a place until the end of the bundle", log, parts);
}

/* 65, of which the third does not name the revision before it. */
static void make_many_unchained(void)
{
    static const struct part all[PARTS_MAX] = {{0, MANY, 0, 0}};
    static struct line log[MANY + 1];
    put_many(log, MANY, NULL);
    log[2] = (struct line){SK_TYPE_CONTINUATION, 2, 2, log[2].text, NULL, 64, 1};
    sk_vector_log("65 continuations, of which one has another hash of the one before",
                  "it is believed, and takes a place", log, all);
}

/* An id that is of type 11 by what came first, of another by what comes before it, and of type 11
 * again. */
static void make_types_in_turn(void)
{
    static const struct part parts[PARTS_MAX] = {{2, 4, 2, 0}, {1, 2, 1, 0}, {0, 1, 0, 0}};
    char own[SK_CONTINUATION_TEXT];
    char other[SK_CONTINUATION_TEXT];
    struct line log[LINES] = {
        {0}, {SK_TYPE_SOURCE, 0x70, 2, RECORD("source", "S"), NULL, 0, 0}, {0}, SOURCE_LINE};
    statement(own, &sk_device, &sk_stranger, 4, false);
    statement(other, &sk_rival, &sk_stranger, 4, false);
    log[0] = (struct line){SK_TYPE_CONTINUATION, 0x70, 1, own, NULL, 0, 0};
    log[2] = (struct line){SK_TYPE_CONTINUATION, 0x70, 3, other, NULL, 0, 0};
    sk_vector_log("a continuation whose type changes twice", "it is judged anew each time", log,
                  parts);
}

void sk_make_statements(void)
{
    for (size_t i = 0; i < sizeof(statements) / sizeof(statements[0]); i++)
        make_statement(i);
    make_exact();
    make_many();
    make_many_types();
    make_many_dropped();
    make_many_wrong_at_once();
    make_many_joined();
    make_many_unchained();
    make_types_in_turn();
    make_many_erased("64 continuations, of which one is erased, and more",
                     "it is not believed any more: it makes room for one of the same bundle",
                     false);
    make_many_erased("64 continuations, of which one was erased before, and more",
                     "it is not believed: there is room for one of the next bundle", true);
}
