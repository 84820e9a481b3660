/*
 * What a documenter sends: bundles, for the archives that have not revoked the device.
 */
#include "sync/export.h"
#include "sync/peer.h"
#include "tests/model/real.h"
#include "tests/support/sim/live.h"

#include <errno.h>

/* ---- what ---- */

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

/* Whether bundles are for that archive: it has not said that it revoked this device. */
static bool takes(const struct m_end *end)
{
    return end->there && end->revoked == M_NEVER;
}

static struct span unsent(const struct m_device *device)
{
    struct span span = {.n0 = device->history.size, .n1 = device->history.size};
    bool any = false;
    for (int p = 0; p < device->history.size; p++) {
        for (int i = 0; i < M_ARCHIVES; i++) {
            bool asked = false;
            if (!takes(&device->ends[i]) || !lacks(&device->ends[i], p, &asked))
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
        if (!takes(end))
            continue;
        ends++;
        if (file)
            file->slots[file->slot_count++] =
                (struct m_slot){end->pair, end->send, m_seals_to(end)};
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

static int sent_to(const struct m_device *device)
{
    int count = 0;
    for (int i = 0; i < M_ARCHIVES; i++)
        count += takes(&device->ends[i]);
    return count;
}

static void fill_bundle(struct m_device *device, struct m_file *file, int n0, int n1)
{
    *file = (struct m_file){.log = device->log, .number = ++device->number, .n0 = n0, .n1 = n1};
    file->history = device->history;
    file->history.size = n1;
    for (int p = n0; p < file->n1; p++) {
        file->payload[p] = m_has(device, p);
        file->bare.at[p] = device->purged.at[p];
        m.bare[device->log].at[p] = m.bare[device->log].at[p] || device->purged.at[p];
    }
    (void)take_indexes(device, file);
    for (int i = 0; i < M_ARCHIVES; i++)
        for (int p = n0; takes(&device->ends[i]) && p < file->n1; p++)
            device->ends[i].exported.at[p] = true;
}

static int count_bare(const struct m_file *file)
{
    int count = 0;
    for (int p = file->n0; p < file->n1; p++)
        count += file->bare.at[p];
    if (count > 0)
        m_met(M_PURGED_SENT_MET);
    return count;
}

/* How an export has to end, by whom it could be for. */
static enum sk_status expect_export(const struct m_device *device)
{
    int pairs = invited(device);
    int ends = sent_to(device);
    if (pairs > 0 && ends == 0)
        m_met(M_ALL_REVOKED_MET);
    return pairs == 0 ? SK_CONFIG : ends == 0 ? SK_REFUSED : SK_OK;
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
    enum sk_status expected = expect_export(d);
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
    if (sent_to(d) < invited(d))
        m_met(M_LEFT_OUT_MET);
    struct m_file *file = &m.files[m.file_count++];
    fill_bundle(d, file, span.n0, span.n1);
    r_equal("entries sent as purged", (long long)result.purged, count_bare(file));
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
    if (!sent_to(d) || unsent(d).n0 == d->history.size)
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
    if (!sent_to(d))
        return false;
    EXPECT_OK(sk_peers_load(store, &peers, &sk_test_err));
    sk_peers_drop_revoked(&peers);
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

bool r_act_export(const struct r_action *action)
{
    int device = (int)(action->by[0] % M_DEVICES);
    uint32_t by = action->by[1];
    bool done = false;
    switch ((int)action->kind) {
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
