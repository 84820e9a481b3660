/*
 * What a documenter does: records, and exports.
 */
#include "sync/export.h"
#include "sync/peer.h"
#include "tests/model/real.h"
#include "tests/support/exchange.h"
#include "tests/support/sim/live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define ATTACHED_MAX 3000u

/* ---- the log ---- */

static struct m_entry *new_entry(struct m_device *device)
{
    if (m.entry_count == M_ENTRIES || device->history.size == M_LOG)
        r_fail("a sequence is too long for the model");
    device->history.at[device->history.size++] = (int16_t)m.entry_count;
    struct m_entry *entry = &m.entries[m.entry_count++];
    *entry = (struct m_entry){.type = 0};
    return entry;
}

/* What the real log has at a position. */
static struct sk_entry entry_at(int device, int position)
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

static bool full(const struct m_device *device)
{
    return device->history.size >= M_ROOM || m.entry_count >= M_ENTRIES - M_LOG;
}

/* ---- records ---- */

static void set_title(struct m_entry *entry)
{
    (void)snprintf(entry->title, sizeof(entry->title), "what was seen tok%dq",
                   (int)(entry - m.entries));
}

static bool add(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    if (full(d))
        return false;
    struct m_entry *entry = new_entry(d);
    set_title(entry);
    entry->type = by % 2 ? SK_TYPE_SOURCE : SK_TYPE_CASE;
    entry->revision = 1;
    entry->id = sk_test_add(r.devices[device].store, entry->type, entry->title);
    return true;
}

static bool edit(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    const struct m_entry *before = pick(d, by, true);
    if (!before || before->malformed || full(d))
        return false;
    struct m_entry *entry = new_entry(d);
    set_title(entry);
    entry->type = before->type;
    entry->id = before->id;
    entry->revision = before->revision + 1;
    sk_test_edit(r.devices[device].store, &entry->id, entry->title);
    return true;
}

static bool attach(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    const struct m_entry *record = pick(d, by, true);
    uint8_t bytes[ATTACHED_MAX];
    char path[48];
    if (!record || record->malformed || full(d))
        return false;
    size_t len = by % ATTACHED_MAX;
    memset(bytes, (int)(by >> 8 & 0xff), sizeof(bytes));
    r_path(path, "far", "photo");
    sk_sim_make_file(path, bytes, len);
    struct m_entry *entry = new_entry(d);
    entry->type = SK_TYPE_ATTACHMENT;
    entry->revision = 1;
    entry->on[0] = record->id;
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
    if (!source || source->malformed || target->malformed || full(d))
        return false;
    struct m_entry *entry = new_entry(d);
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
static void note_erasure(struct m_device *device, const struct sk_entry *real)
{
    int before = newest_of(&device->history, &real->id);
    for (int i = 0; i < m.entry_count; i++)
        if (m.entries[i].type == SK_TYPE_ERASURE && m.entries[i].before == before) {
            device->history.at[device->history.size++] = (int16_t)i;
            return;
        }
    struct m_entry *entry = new_entry(device);
    entry->type = SK_TYPE_ERASURE;
    entry->id = real->id;
    entry->revision = real->revision;
    entry->before = before;
}

/* In which order they go is the store's; the log says it. */
static void note_erasures(int device, int count, const struct sk_id *id, uint32_t revision)
{
    struct m_device *d = &m.devices[device];
    const struct m_history old = d->history;
    struct sk_entry real = {.type = 0};
    for (int i = 0; i < count; i++) {
        real = entry_at(device, d->history.size);
        r_equal("type of an erasure", real.type, SK_TYPE_ERASURE);
        r_equal("withdrawn before", m_erased_in(&old, &real.id), false);
        note_erasure(d, &real);
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
    if (full(d))
        return false;
    struct m_entry *entry = new_entry(d);
    entry->type = SK_TYPE_SOURCE;
    entry->revision = 1;
    entry->malformed = true;
    (void)snprintf(text, sizeof(text), "{\"tok%dq\": 1}", (int)(entry - m.entries));
    entry->id = sk_world_put_text(r.devices[device].store, text);
    return true;
}

/* ---- exporting ---- */

/* Positions that some archive was never sent, or asks for: from the first to behind the last. */
struct span {
    int n0, n1;
    bool wanted; /* the first one is asked for */
};

static bool lacks(const struct m_end *end, int position, bool *asked)
{
    *asked = end->wanted.at[position] && !end->exported.at[position];
    return *asked || (!end->exported.at[position] && !end->acknowledged.at[position]);
}

static struct span unsent(const struct m_device *device)
{
    struct span span = {.n0 = device->history.size, .n1 = device->history.size};
    bool any = false;
    for (int p = 0; p < device->history.size; p++) {
        for (int i = 0; i < M_ARCHIVES; i++) {
            bool asked = false;
            if (!device->ends[i].there || !lacks(&device->ends[i], p, &asked))
                continue;
            if (!any)
                span.n0 = p;
            span.wanted = span.wanted || (p == span.n0 && asked);
            span.n1 = p + 1;
            any = true;
        }
    }
    return span;
}

static int take_indexes(struct m_device *device, struct m_file *file)
{
    int ends = 0;
    for (int i = 0; i < M_ARCHIVES; i++) {
        struct m_end *end = &device->ends[i];
        if (!end->there)
            continue;
        ends++;
        if (file)
            file->slots[file->slot_count++] = (struct m_slot){end->pair, end->send};
        end->send++;
    }
    return ends;
}

static int invited(const struct m_device *device)
{
    int count = 0;
    for (int i = 0; i < M_ARCHIVES; i++)
        count += device->ends[i].there;
    return count;
}

static void fill_bundle(struct m_device *device, struct m_file *file, int n0, int n1)
{
    *file = (struct m_file){.log = device->log, .number = ++device->number, .n0 = n0, .n1 = n1};
    file->history = device->history;
    file->history.size = n1;
    for (int p = n0; p < file->n1; p++) {
        const struct m_entry *entry = &m.entries[device->history.at[p]];
        file->payload[p] =
            entry->type != SK_TYPE_ERASURE && !m_erased_in(&device->history, &entry->id);
    }
    (void)take_indexes(device, file);
    for (int i = 0; i < M_ARCHIVES; i++)
        for (int p = n0; device->ends[i].there && p < file->n1; p++)
            device->ends[i].exported.at[p] = true;
}

static bool export_from(int device, uint64_t since)
{
    struct m_device *d = &m.devices[device];
    struct sk_export_result result;
    char path[48];
    struct span span = {.n0 = (int)since, .n1 = d->history.size};
    if (m.file_count == M_FILES)
        return false;
    if (since == SK_EXPORT_NEW)
        span = unsent(d);
    enum sk_status expected = invited(d) ? SK_OK : SK_CONFIG;
    r_file_path(path, m.file_count);
    EXPECT(expected, sk_export(r.devices[device].store, path, since, NULL, &result, &sk_test_err));
    if (expected != SK_OK)
        return true;
    r_equal("nothing to export", result.nothing, span.n0 == d->history.size);
    if (result.nothing) {
        m_met(M_NOTHING_MET);
        return true;
    }
    if (span.wanted)
        m_met(M_WANTED_SENT_MET);
    fill_bundle(d, &m.files[m.file_count++], span.n0, span.n1);
    r_equal("number of the bundle", (long long)result.number, d->number);
    r_equal("first position exported", (long long)result.n0, span.n0);
    r_equal("end of what was exported", (long long)result.n1, span.n1);
    r_equal("left to export", (long long)result.left, 0);
    return true;
}

bool r_export(int device, bool everything)
{
    return export_from(device, everything ? 0 : SK_EXPORT_NEW);
}

/* The medium is full: number and keys are gone, no file is there. */
static bool export_fails(int device)
{
    struct m_device *d = &m.devices[device];
    struct sk_export_result result;
    char path[48];
    if (!invited(d) || unsent(d).n0 == d->history.size)
        return false;
    const struct sk_sim_fault fault = {.calls = SK_SIM_WRITES,
                                       .number = 1,
                                       .lasting = true,
                                       .error = ENOSPC,
                                       .disk = sk_sim_disk("/sim/stick")};
    r_path(path, "stick", "full");
    sk_sim_arm(&fault);
    EXPECT(SK_FULL,
           sk_export(r.devices[device].store, path, SK_EXPORT_NEW, NULL, &result, &sk_test_err));
    sk_sim_disarm();
    r_equal("a file of an export that failed", sk_file_exists(path), false);
    d->number++;
    (void)take_indexes(d, NULL);
    m_met(M_EXPORT_FAILED_MET);
    return true;
}

/* How many keys are passed over: mostly few; else around the borders of the windows. */
static int keys_burnt(uint32_t by)
{
    static const int few[] = {1, 3, 62, 63, 64, 65};
    static const int many[] = {200, 4031, 4094, 4095, 4096, 4160};
    return by % 4 ? few[by / 4 % 6] : many[by / 4 % 6];
}

/* Many exports that failed, one after the other: their keys alone. */
static bool burn(int device, uint32_t by)
{
    struct m_device *d = &m.devices[device];
    sk_auto_peers peers = {.count = 0};
    struct sk_store *store = r.devices[device].store;
    struct sk_store *txn = NULL;
    int count = keys_burnt(by);
    if (!invited(d))
        return false;
    EXPECT_OK(sk_peers_load(store, &peers, &sk_test_err));
    EXPECT_OK(sk_store_begin(&txn, store, &sk_test_err));
    for (size_t p = 0; p < peers.count; p++)
        for (int i = 0; i < count; i++) {
            struct sk_slot_keys keys;
            uint64_t index = 0;
            EXPECT_OK(sk_chain_take(store, peers.items[p].send, &index, &keys, &sk_test_err));
        }
    EXPECT_OK(sk_store_commit(&txn, &sk_test_err));
    for (int i = 0; i < count; i++)
        (void)take_indexes(d, NULL);
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
    case R_EXPORT:
        done = export_from(device, SK_EXPORT_NEW);
        break;
    case R_EXPORT_SINCE:
        done = export_from(device, by % (unsigned)(m.devices[device].history.size + 1));
        break;
    case R_EXPORT_FAILS:
        done = export_fails(device);
        break;
    case R_BURN:
        done = burn(device, by);
        break;
    default:
        return false;
    }
    if (done)
        r_compare_device(device);
    return done;
}
