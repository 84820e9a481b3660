/*
 * Which entries the signed head of a log covers, when some are lost.
 *
 * A subtree whose root is known is gone into from above: where all its leaves are there they give
 * its root or contradict it; where some are lost, kept nodes of the tree, peaks beside the head
 * among them (or whole subtrees beside), stand in for them, and what they give with the rest must
 * be the known root again.
 */
#include "core/remains_internal.h"

#include <string.h>

#define NODE_LEVEL_MIN 8
#define SMALL          (1u << NODE_LEVEL_MIN)

struct proof {
    struct sk_remains *r;
    struct place *entries;
    uint64_t counts[VERDICT_UNDONE + 1];
};

static size_t first_of(const struct proof *p, uint64_t position)
{
    return remains_find(&p->r->entries, (int64_t)position);
}

static bool complete(const struct proof *p, uint64_t start, uint64_t len)
{
    return first_of(p, start + len) - first_of(p, start) == len;
}

static void mark(struct proof *p, uint64_t start, uint64_t len, enum verdict verdict)
{
    size_t end = first_of(p, start + len);
    for (size_t i = first_of(p, start); i < end; i++)
        p->entries[i].verdict = (uint8_t)verdict;
}

static bool kept_node(const struct proof *p, unsigned level, uint64_t index, uint8_t *out)
{
    const struct node *nodes = (const struct node *)(const void *)p->r->nodes.bytes;
    size_t low = 0;
    size_t high = p->r->nodes.len / sizeof(*nodes);
    size_t count = high;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        const struct node *n = &nodes[middle];
        if (n->level < level || (n->level == level && n->index < index))
            low = middle + 1;
        else
            high = middle;
    }
    if (low == count || nodes[low].level != level || nodes[low].index != index)
        return false;
    memcpy(out, nodes[low].hash, SK_MERKLE_LEN);
    return true;
}

/* The root of leaves that are all there. */
static bool leaves_root(const struct proof *p, uint64_t start, uint64_t len, uint8_t *out)
{
    struct sk_merkle tree;
    size_t at = first_of(p, start);
    sk_merkle_init(&tree);
    for (uint64_t i = 0; i < len; i++) {
        uint8_t bytes[SK_ENTRY_LEN];
        uint8_t leaf[SK_MERKLE_LEN];
        if (!remains_entry(p->r, &p->entries[at + i], bytes))
            return false;
        sk_merkle_leaf(leaf, bytes, sizeof(bytes));
        sk_merkle_append(&tree, leaf);
    }
    sk_merkle_root(&tree, out);
    return true;
}

/* The largest power of two below n, n >= 2. */
static uint64_t split_of(uint64_t n)
{
    return UINT64_C(1) << (63 - __builtin_clzll(n - 1));
}

/* What the root of a range should be, from kept nodes and leaves; false when it cannot be told. */
static bool range_root(const struct proof *p, uint64_t start, uint64_t len, uint8_t *out)
{
    uint8_t left[SK_MERKLE_LEN];
    uint8_t right[SK_MERKLE_LEN];
    bool full = (len & (len - 1)) == 0;
    unsigned level = 63u - (unsigned)__builtin_clzll(len);
    if (full && level >= NODE_LEVEL_MIN && kept_node(p, level, start >> level, out))
        return true;
    if (len <= SMALL && complete(p, start, len))
        return leaves_root(p, start, len, out);
    if (len <= SMALL && full) /* a peak: of these there are small ones */
        return kept_node(p, level, start >> level, out);
    uint64_t k = split_of(len);
    if (!range_root(p, start, k, left) || !range_root(p, start + k, len - k, right))
        return false;
    sk_merkle_node(out, left, right);
    return true;
}

/* Gives the entries of a range, whose root is known, their verdict. As deep as the tree. */
static void prove(struct proof *p, uint64_t start, uint64_t len, const uint8_t *root)
{
    uint8_t left[SK_MERKLE_LEN];
    uint8_t right[SK_MERKLE_LEN];
    uint8_t both[SK_MERKLE_LEN];
    bool full = complete(p, start, len);
    if (full && leaves_root(p, start, len, both) && memcmp(both, root, sizeof(both)) == 0) {
        mark(p, start, len, VERDICT_PROVEN);
        return;
    }
    uint64_t k = len > 1 ? split_of(len) : 0;
    if (k > 0 && range_root(p, start, k, left) && range_root(p, start + k, len - k, right)) {
        sk_merkle_node(both, left, right);
        if (memcmp(both, root, sizeof(both)) == 0) {
            prove(p, start, k, left);
            prove(p, start + k, len - k, right);
            return;
        }
    }
    mark(p, start, len, full ? VERDICT_CONTRARY : VERDICT_UNPROVEN);
}

/*
 * Entries that are all there and do not give the root are refused, every one: which of them is
 * altered the head cannot tell, and what a neighbour looks like is no proof for the others.
 * So are entries out of a transaction that was undone, unless a signed head proves them.
 */
static void refuse(struct proof *p)
{
    for (size_t i = 0; i < place_count(&p->r->entries); i++) {
        struct place *at = &p->entries[i];
        bool undone =
            at->verdict == VERDICT_UNPROVEN && !sk_pages_marked(p->r->pages, at->view, at->page);
        if (undone || at->verdict == VERDICT_CONTRARY)
            at->verdict = VERDICT_REFUSED;
    }
}

/* ---- the whole ---- */

/* Without a head nothing is proven: what it would be is the root of what is there from 0 on. */
static void prove_without_head(struct proof *p)
{
    struct sk_remains_facts *facts = &p->r->facts;
    uint64_t size = 0;
    size_t count = place_count(&p->r->entries);
    while (size < count && p->entries[size].id == (int64_t)size &&
           sk_pages_marked(p->r->pages, p->entries[size].view, p->entries[size].page))
        size++;
    if (size == 0 || !leaves_root(p, 0, size, facts->root)) {
        struct sk_merkle empty;
        sk_merkle_init(&empty);
        sk_merkle_root(&empty, facts->root);
        size = 0;
    }
    for (size_t i = 0; i < count; i++)
        p->entries[i].verdict = VERDICT_UNPROVEN;
    refuse(p);
    facts->size = facts->known_size = size;
    for (size_t i = 0; i < count; i++) {
        if (p->entries[i].verdict == VERDICT_UNPROVEN)
            facts->size = (uint64_t)p->entries[i].id + 1;
    }
}

static void count_verdicts(struct proof *p)
{
    memset(p->counts, 0, sizeof(p->counts));
    for (size_t i = 0; i < place_count(&p->r->entries); i++)
        p->counts[p->entries[i].verdict]++;
}

static void prove_under(struct proof *p, const struct head *head)
{
    for (size_t i = 0; i < place_count(&p->r->entries); i++)
        p->entries[i].verdict =
            (uint64_t)p->entries[i].id < head->size ? VERDICT_UNPROVEN : VERDICT_BEYOND;
    if (head->size > 0)
        prove(p, 0, head->size, head->root);
    count_verdicts(p);
}

/* The head that fewest entries contradict, that proves most, and is newest. *newest: the largest
 * committed one that no entry contradicts, if it is larger than that. */
static const struct head *choose_head(struct proof *p, const struct head **newest)
{
    const struct head *best = NULL;
    uint64_t contrary = 0;
    uint64_t proven = 0;
    *newest = NULL;
    for (unsigned i = 0; i < p->r->head_count; i++) {
        const struct head *head = &p->r->heads[i];
        prove_under(p, head);
        uint64_t c = p->counts[VERDICT_CONTRARY];
        uint64_t n = p->counts[VERDICT_PROVEN];
        if (c == 0 && head->marked && (!*newest || head->size > (*newest)->size))
            *newest = head;
        if (!best || c < contrary || (c == contrary && n > proven) ||
            (c == contrary && n == proven && head->size > best->size)) {
            best = head;
            contrary = c;
            proven = n;
        }
    }
    if (*newest && (*newest)->size <= best->size)
        *newest = NULL;
    return best;
}

/* ---- beyond the head that proves most ---- */

/* Whether something of the database is lost, so that its newest head may be among it. */
static bool suffered(const struct sk_remains *r)
{
    const struct sk_pages_state *pages = &r->facts.pages;
    return r->facts.bad_pages > 0 || pages->log_doubtful || pages->start_damaged ||
           pages->data_missing;
}

/*
 * What another signed head covers, and cannot prove any more, is like what has lost its neighbours.
 * What no head covers is so too if the head that did may be lost, and if it was committed: the page
 * that holds the head is one of those that every commit writes, and so may be older than the rest.
 * In a whole database there is no such entry, unless somebody put it there.
 */
static void take_beyond(struct proof *p, const struct head *newest)
{
    struct sk_remains_facts *facts = &p->r->facts;
    uint64_t covered = newest ? newest->size : facts->size;
    bool lost = suffered(p->r);
    if (newest) {
        facts->size = facts->known_size = newest->size;
        memcpy(facts->root, newest->root, SK_MERKLE_LEN);
    }
    for (size_t i = 0; i < place_count(&p->r->entries); i++) {
        struct place *at = &p->entries[i];
        bool taken = ((uint64_t)at->id < covered || lost) &&
                     sk_pages_marked(p->r->pages, at->view, at->page);
        if (at->verdict != VERDICT_BEYOND || !taken)
            continue;
        at->verdict = VERDICT_UNPROVEN;
        if ((uint64_t)at->id >= covered) {
            facts->uncovered++;
            facts->size = (uint64_t)at->id + 1;
        }
    }
}

/* What would be taken has to be an entry: else it is told as lost. */
static void set_unknown(struct proof *p)
{
    for (size_t i = 0; i < place_count(&p->r->entries); i++) {
        struct place *at = &p->entries[i];
        uint8_t bytes[SK_ENTRY_LEN];
        struct sk_entry entry;
        if ((at->verdict == VERDICT_PROVEN || at->verdict == VERDICT_UNPROVEN) &&
            (!remains_entry(p->r, at, bytes) || sk_entry_decode(&entry, bytes) != SK_OK))
            at->verdict = VERDICT_UNKNOWN;
    }
}

/* What an interrupted command left behind the end of the log, as any opening would pass over it. */
static void pass_over_undone(struct proof *p)
{
    const struct sk_remains_facts *facts = &p->r->facts;
    for (size_t i = 0; i < place_count(&p->r->entries); i++) {
        struct place *at = &p->entries[i];
        bool refused = at->verdict == VERDICT_BEYOND || at->verdict == VERDICT_REFUSED;
        if (refused && (uint64_t)at->id >= facts->size && !facts->pages.log_doubtful &&
            !sk_pages_marked(p->r->pages, at->view, at->page))
            at->verdict = VERDICT_UNDONE;
    }
}

void remains_prove(struct sk_remains *r)
{
    struct proof p = {.r = r, .entries = places(&r->entries)};
    const struct head *newest = NULL;
    const struct head *head = choose_head(&p, &newest);
    if (head) {
        prove_under(&p, head);
        r->facts.head_known = true;
        r->facts.size = head->size;
        r->facts.known_size = head->size;
        memcpy(r->facts.root, head->root, SK_MERKLE_LEN);
        refuse(&p);
        take_beyond(&p, newest);
    } else {
        prove_without_head(&p);
    }
    set_unknown(&p);
    pass_over_undone(&p);
    count_verdicts(&p);
    r->facts.unknown = p.counts[VERDICT_UNKNOWN];
    r->facts.proven = p.counts[VERDICT_PROVEN];
    r->facts.unproven = p.counts[VERDICT_UNPROVEN];
    r->facts.refused = p.counts[VERDICT_REFUSED];
    r->facts.beyond = p.counts[VERDICT_BEYOND];
    r->facts.undone = p.counts[VERDICT_UNDONE];
}
