/*
 * What a documenter records, changes and withdraws.
 */
#include "tests/model/real.h"
#include "tests/support/exchange.h"
#include "tests/support/sim/live.h"

#include <stdio.h>
#include <string.h>

#define ATTACHED_MAX 3000u
#define LARGE_FROM   100000u /* one of these fills more than a chunk of a bundle */
#define LARGE_MORE   20000u

/* ---- the log ---- */

struct m_entry *r_new_entry(struct m_device *device)
{
    if (m.entry_count == M_ENTRIES || device->history.size == M_LOG)
        r_fail("a sequence is too long for the model");
    device->history.at[device->history.size++] = (int16_t)m.entry_count;
    struct m_entry *entry = &m.entries[m.entry_count++];
    *entry = (struct m_entry){.type = 0};
    return entry;
}

/* What the real log has at a position. */
struct sk_entry r_entry_at(int device, int position)
{
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry entry;
    bool found = false;
    EXPECT_OK(sk_log_entry(r.devices[device].store, SK_LOG_OWN, (uint64_t)position, bytes, &found,
                           &sk_test_err));
    r_equal("an entry that was written", found, true);
    EXPECT_OK(sk_entry_decode(&entry, bytes));
    return entry;
}

/* The newest entry of the n-th of the things of a device that are not withdrawn; NULL: none. */
static const struct m_entry *pick(const struct m_device *device, uint32_t by, bool records_only)
{
    const struct m_entry *found[M_LOG];
    int count = 0;
    for (int i = 0; i < device->history.size; i++) {
        const struct m_entry *entry = &m.entries[device->history.at[i]];
        bool newest = true;
        if (entry->type > SK_TYPE_ATTACHMENT || (records_only && !sk_type_is_record(entry->type)) ||
            m_erased_in(&device->history, &entry->id))
            continue;
        for (int j = i + 1; j < device->history.size; j++)
            newest = newest && !m_same_id(&m.entries[device->history.at[j]].id, &entry->id);
        if (newest)
            found[count++] = entry;
    }
    return count > 0 ? found[by % (unsigned)count] : NULL;
}

bool r_full(const struct m_device *device)
{
    return device->history.size >= M_ROOM || m.entry_count >= M_ENTRIES - M_LOG;
}

/* ---- records ---- */

void r_set_title(struct m_entry *entry)
{
    (void)snprintf(entry->title, sizeof(entry->title), "what was seen tok%dq",
                   (int)(entry - m.entries));
}

static bool add(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    if (r_full(d))
        return false;
    struct m_entry *entry = r_new_entry(d);
    r_set_title(entry);
    entry->type = by % 2 ? SK_TYPE_SOURCE : SK_TYPE_CASE;
    entry->revision = 1;
    entry->id = sk_test_add(r.devices[device].store, entry->type, entry->title);
    return true;
}

/* What is not here any more cannot be changed, nor what was made with a form that is not. */
static void edit_fails(struct sk_store *store, const struct sk_id *id)
{
    struct sk_store *txn = NULL;
    sk_auto_item item = sk_test_item(store, id);
    sk_auto_json fields = sk_test_fields("changed");
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT(SK_REFUSED, sk_record_edit(store, &item, fields, &sk_test_err));
    sk_store_rollback(store);
}

static bool is_purged(const struct m_device *device, const struct sk_id *id)
{
    for (int p = device->history.size - 1; p >= 0; p--)
        if (m_same_id(&m.entries[device->history.at[p]].id, id))
            return device->purged.at[p];
    return false;
}

static bool is_formless(const struct m_device *device, const struct sk_id *id)
{
    for (int p = device->history.size - 1; p >= 0; p--)
        if (m_same_id(&m.entries[device->history.at[p]].id, id))
            return m_formless(device, p);
    return false;
}

/* Whether something can hang on it. */
static bool can_bear(const struct m_device *device, const struct m_entry *record)
{
    return record && !record->malformed && !is_formless(device, &record->id);
}

static bool edit(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    const struct m_entry *before = pick(d, by, true);
    if (!before || before->malformed || r_full(d))
        return false;
    if (is_purged(d, &before->id)) {
        edit_fails(r.devices[device].store, &before->id);
        m_met(M_PURGED_EDIT_MET);
        return true;
    }
    if (is_formless(d, &before->id)) {
        edit_fails(r.devices[device].store, &before->id);
        m_met(M_FORM_NO_EDIT_MET);
        return true;
    }
    struct m_entry *entry = r_new_entry(d);
    r_set_title(entry);
    entry->type = before->type;
    entry->id = before->id;
    entry->revision = before->revision + 1;
    entry->form = before->form;
    entry->before = (int)(before - m.entries);
    sk_test_edit(r.devices[device].store, &entry->id, entry->title);
    return true;
}

/* Mostly a small one that shrinks; a large one does not. Returns its length. */
static size_t fill_attachment(uint8_t bytes[static LARGE_FROM + LARGE_MORE], uint32_t by)
{
    uint64_t luck = by;
    memset(bytes, (int)(by >> 8 & 0xff), ATTACHED_MAX);
    if (by >> 20 & 3)
        return by % ATTACHED_MAX;
    size_t len = LARGE_FROM + by % (LARGE_MORE - 8);
    for (size_t at = 0; at < len; at += sizeof(luck)) {
        luck = luck * 6364136223846793005u + 1442695040888963407u;
        memcpy(bytes + at, &luck, sizeof(luck));
    }
    return len;
}

static bool attach(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    const struct m_entry *record = pick(d, by, true);
    static uint8_t bytes[LARGE_FROM + LARGE_MORE];
    char path[48];
    if (!can_bear(d, record) || r_full(d))
        return false;
    size_t len = fill_attachment(bytes, by);
    r_path(path, "far", "photo");
    sk_sim_make_file(path, bytes, len);
    struct m_entry *entry = r_new_entry(d);
    entry->type = SK_TYPE_ATTACHMENT;
    entry->revision = 1;
    entry->on[0] = record->id;
    entry->len = (int)len;
    sk_auto_item item = sk_test_item(r.devices[device].store, &record->id);
    EXPECT_OK(
        sk_attachment_add(r.devices[device].store, &item, path, NULL, &entry->id, &sk_test_err));
    return true;
}

static bool join(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    struct sk_store *store = r.devices[device].store;
    struct sk_store *txn = NULL;
    const struct m_entry *source = pick(d, by, true);
    const struct m_entry *target = pick(d, by >> 8, true);
    if (!can_bear(d, source) || !can_bear(d, target) || r_full(d))
        return false;
    struct m_entry *entry = r_new_entry(d);
    entry->type = SK_TYPE_LINK;
    entry->revision = 1;
    entry->on[0] = source->id;
    entry->on[1] = target->id;
    sk_auto_item from = sk_test_item(store, &source->id);
    sk_auto_item to = sk_test_item(store, &target->id);
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    EXPECT_OK(sk_link_add(store, &from, "about", &to, &entry->id, &sk_test_err));
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    return true;
}

/* What goes with something that is withdrawn. */
static int dependents(const struct m_device *device, const struct sk_id *id)
{
    int count = 0;
    for (int i = 0; i < device->history.size; i++) {
        const struct m_entry *entry = &m.entries[device->history.at[i]];
        bool hangs = (entry->type == SK_TYPE_ATTACHMENT && m_same_id(&entry->on[0], id)) ||
                     (entry->type == SK_TYPE_LINK &&
                      (m_same_id(&entry->on[0], id) || m_same_id(&entry->on[1], id)));
        count += hangs && !m_erased_in(&device->history, &entry->id);
    }
    return count;
}

/* The newest entry of an id. */
static int newest_of(const struct m_history *history, const struct sk_id *id)
{
    int found = M_NONE;
    for (int i = 0; i < history->size; i++)
        if (m_same_id(&m.entries[history->at[i]].id, id))
            found = history->at[i];
    return found;
}

/* Two erasures of one revision on one day are the same bytes: there is no chance in them. */
void r_note_erasure(struct m_device *device, const struct sk_entry *real)
{
    int before = newest_of(&device->history, &real->id);
    for (int i = 0; i < m.entry_count; i++)
        if (m.entries[i].type == SK_TYPE_ERASURE && m.entries[i].before == before) {
            device->history.at[device->history.size++] = (int16_t)i;
            return;
        }
    struct m_entry *entry = r_new_entry(device);
    entry->type = SK_TYPE_ERASURE;
    entry->id = real->id;
    entry->revision = real->revision;
    entry->before = before;
}

/* What is withdrawn is not noted as purged any more, and nothing is promised of it. */
static void forget_purged(struct m_device *device, const struct sk_id *id)
{
    for (int p = 0; p < device->history.size; p++) {
        if (!device->purged.at[p] || !m_same_id(&m.entries[device->history.at[p]].id, id))
            continue;
        device->purged.at[p] = false;
        device->promised[p] = 0;
        m_met(M_PURGED_WITHDRAWN_MET);
    }
}

/* In which order they go is the store's; the log says it. */
static void note_erasures(int device, int count, const struct sk_id *id, uint32_t revision)
{
    struct m_device *d = &m.devices[device];
    const struct m_history old = d->history;
    struct sk_entry real = {.type = 0};
    for (int i = 0; i < count; i++) {
        real = r_entry_at(device, d->history.size);
        r_equal("type of an erasure", real.type, SK_TYPE_ERASURE);
        r_equal("withdrawn before", m_erased_in(&old, &real.id), false);
        forget_purged(d, &real.id);
        r_note_erasure(d, &real);
    }
    r_equal("the record goes last", m_same_id(&real.id, id), true);
    r_equal("its revision", real.revision, revision);
}

static bool withdraw(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    const struct m_entry *before = pick(d, by, false);
    if (!before)
        return false;
    int count = 1;
    if (sk_type_is_record(before->type))
        count += dependents(d, &before->id);
    if (d->history.size + count > M_LOG)
        return false;
    r_equal("things withdrawn", sk_test_withdraw(r.devices[device].store, &before->id), count);
    note_erasures(device, count, &before->id, before->revision + 1);
    return true;
}

/* A record of a program that is not ours: signed well, and no record. */
static bool spoil(int device)
{
    struct m_device *d = &m.devices[device];
    char text[80];
    if (r_full(d))
        return false;
    struct m_entry *entry = r_new_entry(d);
    entry->type = SK_TYPE_SOURCE;
    entry->revision = 1;
    entry->malformed = true;
    (void)snprintf(text, sizeof(text), "{\"tok%dq\": 1}", (int)(entry - m.entries));
    entry->id = sk_world_put_text(r.devices[device].store, text);
    return true;
}

bool r_act_device(const struct r_action *action)
{
    int device = (int)(action->by[0] % M_DEVICES);
    uint32_t by = action->by[1];
    bool done = false;
    switch ((int)action->kind) {
    case R_ADD:
        done = add(device, by);
        break;
    case R_EDIT:
        done = edit(device, by);
        break;
    case R_ATTACH:
        done = attach(device, by);
        break;
    case R_LINK:
        done = join(device, by);
        break;
    case R_WITHDRAW:
        done = withdraw(device, by);
        break;
    case R_SPOIL:
        done = spoil(device);
        break;
    default:
        return false;
    }
    if (done)
        r_compare_device(device);
    return done;
}
