/*
 * Purging, at a device: of one thing with what hangs on it, or of everything. By sync/FORMAT.md,
 * "What a device may purge", and, of which revisions stay for what is shown, core/purge.h.
 */
#include "sync/purge.h"

#include "tests/model/real.h"

#include <string.h>

struct purging {
    struct m_device *device;
    struct m_marks covered; /* by every archive */
    struct m_marks known;   /* by some */
    struct m_marks going;
    int entries, items, left;
};

static const struct m_entry *entry_at(const struct m_device *device, int position)
{
    return &m.entries[device->history.at[position]];
}

static void find_covered(struct purging *p)
{
    for (int at = 0; at < p->device->history.size; at++)
        p->covered.at[at] = true;
    for (int i = 0; i < M_ARCHIVES; i++) {
        struct m_marks by;
        if (!p->device->ends[i].there)
            continue;
        m_covered(p->device, i, &by);
        for (int at = 0; at < M_LOG; at++) {
            p->covered.at[at] = p->covered.at[at] && by.at[at];
            p->known.at[at] = p->known.at[at] || by.at[at];
        }
    }
}

/* The last position of something that can be shown; M_NONE. */
static int shown(const struct m_device *device, const struct sk_id *id)
{
    for (int at = device->history.size - 1; at >= 0; at--)
        if (m_same_id(&entry_at(device, at)->id, id) && m_has(device, at) &&
            !entry_at(device, at)->malformed && !m_formless(device, at))
            return at;
    return M_NONE;
}

/* That an archive holds an entry, and lacks what it commits to, or has put it aside. */
static void note_reasons(const struct m_device *device, int position)
{
    for (int i = 0; i < M_ARCHIVES; i++) {
        const struct m_end *end = &device->ends[i];
        if (!end->there || end->newest == M_NONE)
            continue;
        if (m.files[end->newest].lacking.at[position])
            m_met(M_PURGE_LACKING_MET);
        if (m.files[end->newest].malformed.at[position])
            m_met(entry_at(device, position)->form ? M_FORM_HELD_MET : M_PURGE_MALFORMED_MET);
        if (m.files[end->newest].only.at[position])
            m_met(M_BARE_HELD_MET);
        if (m.files[end->newest].elsewhere.at[position])
            m_met(M_ELSEWHERE_HELD_MET);
    }
}

/* Of one thing. What is shown, or is newer, stays as long as an older revision has to stay, since
 * that would be shown in its place. */
static void select_item(struct purging *p, const struct sk_id *id)
{
    int last = shown(p->device, id);
    int before = p->entries;
    bool older_stays = false;
    for (int at = 0; at < p->device->history.size; at++) {
        const struct m_entry *entry = entry_at(p->device, at);
        if (!m_same_id(&entry->id, id) || !m_has(p->device, at))
            continue;
        bool goes = entry->type <= SK_TYPE_ATTACHMENT && p->covered.at[at];
        if (!p->covered.at[at] && p->known.at[at])
            m_met(M_PURGE_HELD_MET);
        note_reasons(p->device, at);
        if (goes && at >= last && older_stays) {
            goes = false;
            m_met(M_PURGE_SHOWN_MET);
        }
        older_stays = older_stays || !goes;
        p->going.at[at] = goes;
        p->entries += goes;
        p->left += !goes && entry->type <= SK_TYPE_ATTACHMENT;
    }
    p->items += p->entries > before;
}

static bool hangs_on(const struct m_entry *entry, const struct sk_id *id)
{
    return (entry->type == SK_TYPE_ATTACHMENT && m_same_id(&entry->on[0], id)) ||
           (entry->type == SK_TYPE_LINK &&
            (m_same_id(&entry->on[0], id) || m_same_id(&entry->on[1], id)));
}

/* id: NULL for everything. */
static void select_all(struct purging *p, const struct sk_id *id)
{
    const struct m_device *d = p->device;
    for (int at = 0; at < d->history.size; at++) {
        const struct m_entry *entry = entry_at(d, at);
        bool first = true;
        for (int before = 0; before < at; before++)
            first = first && !m_same_id(&entry_at(d, before)->id, &entry->id);
        if (first && (!id || m_same_id(&entry->id, id) || hangs_on(entry, id)))
            select_item(p, &entry->id);
    }
}

/* Which archives have it, by their word. */
static unsigned char promise(const struct m_device *device)
{
    unsigned char bits = 0;
    for (int i = 0; i < M_ARCHIVES; i++)
        if (device->ends[i].there && !r.behind[i])
            bits |= (unsigned char)(1u << i);
    return bits;
}

static void apply(const struct purging *p)
{
    for (int at = 0; at < M_LOG; at++) {
        if (!p->going.at[at])
            continue;
        p->device->purged.at[at] = true;
        p->device->promised[at] = promise(p->device);
        m_met(M_PURGED_MET);
        if (entry_at(p->device, at)->form)
            m_met(M_FORM_PURGED_MET);
    }
}

static enum sk_status expect(const struct m_device *device, const struct sk_id *id)
{
    bool any = false;
    for (int i = 0; i < M_ARCHIVES; i++)
        any = any || device->ends[i].there;
    if (!any)
        return SK_CONFIG;
    if (id && m_erased_in(&device->history, id)) {
        m_met(M_PURGE_REFUSED_MET);
        return SK_REFUSED;
    }
    return SK_OK;
}

/* Purges the real one, or only looks; and compares. */
static void do_purge(int number, const struct sk_id *id, bool look, enum sk_status expected,
                     const struct purging *p)
{
    struct sk_store *store = r.devices[number].store;
    struct sk_store *txn = NULL;
    struct sk_purge_result result = {.entries = 0};
    sk_auto_item item = {.title = NULL};
    if (id)
        item = sk_test_item(store, id);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT(expected, sk_purge(store, &item, id ? 1 : 0, look, NULL, &result, &sk_test_err));
    if (expected == SK_OK)
        EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    else
        sk_store_rollback(store);
    r_equal("entries purged", (long long)result.entries, p->entries);
    r_equal("things purged", (long long)result.items, p->items);
    r_equal("entries that stay", (long long)result.left, p->left);
}

bool r_act_purge(const struct r_action *action)
{
    int number = (int)(action->by[0] % M_DEVICES);
    uint32_t by = action->by[1];
    struct m_device *device = &m.devices[number];
    struct purging p = {.device = device};
    const struct sk_id *id = NULL;
    if (action->kind != R_PURGE || device->history.size == 0)
        return false;
    if (by % 2) /* an item, whatever it is */
        id = &entry_at(device, (int)(by / 2 % (unsigned)device->history.size))->id;
    enum sk_status expected = expect(device, id);
    if (expected == SK_OK) {
        find_covered(&p);
        select_all(&p, id);
    }
    do_purge(number, id, true, expected, &p);
    do_purge(number, id, false, expected, &p);
    apply(&p);
    r_compare_device(number);
    return true;
}
