/*
 * Slots: tags of several indexes in one file, and points that are something else than they look.
 */
#include "tests/vectors/make/group.h"

#include <string.h>

#define SLOT_LEN 128
#define OWN      3 /* where the right slot is put */
#define BEFORE   1
#define BEHIND   5

/* A file under an index, with the tag of another one in a slot whose rest is random. */
struct row {
    const char *name, *shows, *class;
    uint32_t index, tag;
    unsigned where;
};

static const struct row *current;

static void start(struct sk_draft *draft)
{
    sk_draft_entry(draft, SK_TYPE_EVENT, 2, 1);
    draft->chain_index = current->index;
}

static void put_tag(struct sk_draft *draft, unsigned slot, uint32_t index)
{
    struct sk_slot_keys keys;
    uint8_t key[32];
    memcpy(key, draft->chain_key, sizeof(key));
    while (index-- > 0)
        sk_ratchet_next(key, key);
    sk_ratchet_keys(&keys, key);
    sk_slot_tag(draft->header + sk_volume_slot_at(slot), keys.tag, draft->header);
}

/* A sealed slot is good at any place. */
static void two_tags(struct sk_draft *draft)
{
    uint8_t right[SLOT_LEN];
    uint8_t *from = draft->header + sk_draft_slot_at(draft);
    uint8_t *to = draft->header + sk_volume_slot_at(OWN);
    memcpy(right, from, SLOT_LEN);
    memcpy(from, to, SLOT_LEN);
    memcpy(to, right, SLOT_LEN);
    put_tag(draft, current->where, current->tag);
}

static json_t *file_of(const struct row *row)
{
    const struct sk_bundle_case c = {
        .name = row->name, .start = start, .sealed = row->where ? two_tags : NULL};
    current = row;
    return sk_bundle_file(&c);
}

/* ---- points ---- */

/* The bits that X25519 passes over: E is hashed as it stands. */
static void high_bit(struct sk_draft *draft)
{
    struct sk_slot_keys keys;
    uint8_t point[32];
    uint8_t *at = draft->header + sk_draft_slot_at(draft) + 16;
    sk_ratchet_keys(&keys, draft->chain_key);
    sk_hash_of(point, keys.mask, SK_LABEL_MASK, draft->header, 32);
    for (size_t i = 0; i < sizeof(point); i++)
        point[i] ^= at[i];
    point[31] |= 0x80;
    sk_draft_point(draft, point);
}

static void zero(struct sk_draft *draft)
{
    static const uint8_t point[32] = {0};
    sk_draft_point(draft, point);
}

static void make_points(void)
{
    static const struct row first = {.name = "a point"};
    struct sk_bundle_case c = {.name = "E with its highest bit set",
                               .shows = "of a key as any other: E is hashed as it stands",
                               .start = start,
                               .header = high_bit};
    current = &first;
    sk_vector_bundle(&c);
    c.name = "E is 0, after keys were forgotten";
    c.header = zero;
    sk_vector(c.name, "it opens under none, and may be sealed to those", "refused",
              sk_bundle_file(&c), sk_renewed_keys("forgotten"));
    c.name = "E is 0, with next keys";
    sk_vector(c.name, "none was forgotten", "damaged", sk_bundle_file(&c), sk_renewed_keys("next"));
}

void sk_make_slots(void)
{
    static const struct row rows[] = {
        {"tags of indexes 1 and 3", "only the lower one is tried, and it does not open", "damaged",
         3, 1, BEFORE},
        {"tags of indexes 1 and 3, the other way", "the order of slots does not matter", "damaged",
         3, 1, BEHIND},
        {"tags of indexes 3 and 9", "the lower one is tried", "ok", 3, 9, BEFORE},
        {"tags of indexes 70 and 80", "among the next 4,096 too the lower one is tried", "ok", 70,
         80, BEFORE},
        {"tags of indexes 80 and 70", "the lower one is tried, and it does not open", "damaged", 80,
         70, BEHIND},
        {"one tag twice", "the first slot is tried, and it does not open", "damaged", 3, 3, BEFORE},
        {"one tag twice, the other way", "the first slot is tried", "ok", 3, 3, BEHIND},
    };
    make_points();
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector(rows[i].name, rows[i].shows, rows[i].class, file_of(&rows[i]), NULL);
}

/* Index 5 is spent, and those below it are skipped. */
void sk_make_slot_sequences(void)
{
    static const struct row spent = {"index 5", "", "ok", 5, 0, 0};
    static const struct row rows[] = {
        {"tags of a skipped and of a spent index", "the higher one counts", "ok refused", 3, 5,
         BEHIND},
        {"tags of two skipped indexes", "the higher one counts", "ok ok", 4, 3, BEFORE},
        {"tags of two skipped indexes, the other way", "the higher one does not open", "ok damaged",
         3, 4, BEHIND},
        {"tags of a skipped and of a new index", "the skipped one is tried, and does not open",
         "ok damaged", 6, 2, BEHIND},
        {"tags of a spent and of a new index", "the spent one counts", "ok refused", 6, 5, BEHIND},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        sk_vector_steps(rows[i].name, rows[i].shows, rows[i].class,
                        json_pack("[o, o]", file_of(&spent), file_of(&rows[i])), NULL);
}
