/*
 * Stores and their older copies: folders copied and put back, backups and what is restored of them.
 */
#include "core/file.h"
#include "sync/backup.h"
#include "tests/model/real.h"
#include "tests/support/sim/live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct r_world r;

void r_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    (void)fputs("    ", stderr);
    (void)vfprintf(stderr, format, args);
    (void)fputc('\n', stderr);
    va_end(args);
    _Exit(1);
}

void r_equal(const char *what, long long real, long long model)
{
    if (real != model)
        r_fail("%s: %lld, and the model says %lld", what, real, model);
}

/* ---- paths and folders ---- */

void r_path(char out[static 48], const char *disk, const char *word)
{
    (void)snprintf(out, 48, "/sim/%s/%s%d", disk, word, r.name++);
}

void r_file_path(char out[static 48], int file)
{
    (void)snprintf(out, 48, "/sim/stick/file%d", file);
}

void r_open(struct r_store *at, enum sk_store_kind kind)
{
    struct sk_store_options options = sk_test_options(at->path, kind);
    EXPECT_OK(sk_store_open(&at->store, &options, &sk_test_err));
}

void r_close(struct r_store *at)
{
    struct sk_store *store = at->store;
    at->store = NULL;
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

struct copying {
    const char *from;
    const char *to;
};

static enum sk_status copy_one(void *context, const char *name, struct sk_error *err)
{
    const struct copying *copying = context;
    char from[128];
    char to[128];
    size_t len = 0;
    (void)err;
    (void)snprintf(from, sizeof(from), "%s/%s", copying->from, name);
    (void)snprintf(to, sizeof(to), "%s/%s", copying->to, name);
    uint8_t *bytes = sk_sim_file_bytes(from, &len);
    if (bytes)
        sk_sim_make_file(to, bytes, len);
    sk_sim_free(bytes);
    return SK_OK;
}

void r_copy_folder(const char *from, const char *to)
{
    char media_from[64];
    char media_to[64];
    struct copying files = {from, to};
    struct copying media = {media_from, media_to};
    (void)snprintf(media_from, sizeof(media_from), "%s/media", from);
    (void)snprintf(media_to, sizeof(media_to), "%s/media", to);
    sk_dir_discard(to);
    sk_sim_make_folder(to);
    sk_sim_make_folder(media_to);
    EXPECT_OK(sk_dir_each(from, copy_one, &files, &sk_test_err));
    EXPECT_OK(sk_dir_each(media_from, copy_one, &media, &sk_test_err));
}

/* ---- the world before the first action ---- */

static void note_log(int device)
{
    m.devices[device].log = m.log_count;
    memcpy(r.log_ids[m.log_count++], sk_store_id(r.devices[device].store), SK_HASH_LEN);
}

static void make_store(struct r_store *at, const char *word, enum sk_store_kind kind)
{
    r_path(at->path, "disk", word);
    at->store = sk_test_make(at->path, kind);
}

static void make_archive(int number)
{
    make_store(&r.archives[number], "archive", SK_STORE_ARCHIVE);
    r_note_keys(number);
    (void)r_act_form(&(struct r_action){R_OFFER, {(uint32_t)number, 0, 0}});
}

void r_make(void)
{
    sk_sim_make_folder("/sim/disk");
    sk_sim_make_folder("/sim/stick");
    sk_sim_make_folder("/sim/far");
    for (int i = 0; i < M_ARCHIVES; i++)
        make_archive(i);
    for (int i = 0; i < M_DEVICES; i++) {
        make_store(&r.devices[i], "device", SK_STORE_DEVICE);
        m.devices[i] = (struct m_device){.log = 0};
        note_log(i);
        r.clean[i] = true;
        for (int archive = 0; archive < (i == M_DEVICES - 1 ? 1 : M_ARCHIVES); archive++) {
            r_invite(archive, i);
            (void)r_accept(i, &r.invites[r.invite_count - 1]);
        }
    }
}

/* ---- older copies ---- */

static struct r_copy *find_copy(struct r_copy *copies, int count, bool archive, int owner,
                                uint32_t by)
{
    struct r_copy *found[R_COPIES];
    unsigned fit = 0;
    for (int i = 0; i < count; i++)
        if (copies[i].archive == archive && copies[i].owner == owner)
            found[fit++] = &copies[i];
    return fit > 0 ? found[by % fit] : NULL;
}

static bool copy_device(int device)
{
    if (r.copy_count == R_COPIES)
        return false;
    struct r_copy *copy = &r.copies[r.copy_count++];
    *copy = (struct r_copy){.owner = device, .model.device = m.devices[device]};
    r_path(copy->path, "far", "copy");
    r_close(&r.devices[device]);
    r_copy_folder(r.devices[device].path, copy->path);
    r_open(&r.devices[device], SK_STORE_DEVICE);
    return true;
}

static bool put_back_device(int device, uint32_t by)
{
    const struct r_copy *copy = find_copy(r.copies, r.copy_count, false, device, by);
    if (!copy)
        return false;
    r_close(&r.devices[device]);
    r_copy_folder(copy->path, r.devices[device].path);
    r_open(&r.devices[device], SK_STORE_DEVICE);
    for (int i = 0; i < M_ARCHIVES; i++)
        if (m.devices[device].ends[i].there && copy->model.device.ends[i].there &&
            m.devices[device].ends[i].revoked < copy->model.device.ends[i].revoked)
            m_met(M_FORGOTTEN_MET);
    m.devices[device] = copy->model.device;
    r.clean[device] = false;
    r_compare_device(device);
    return true;
}

static bool copy_archive(int archive)
{
    if (r.copy_count == R_COPIES)
        return false;
    struct r_copy *copy = &r.copies[r.copy_count++];
    *copy = (struct r_copy){.archive = true, .owner = archive, .model.at = m.archives[archive]};
    r_path(copy->path, "far", "copy");
    r_close(&r.archives[archive]);
    r_copy_folder(r.archives[archive].path, copy->path);
    r_open(&r.archives[archive], SK_STORE_ARCHIVE);
    return true;
}

static bool put_back_archive(int archive, uint32_t by)
{
    const struct r_copy *copy = find_copy(r.copies, r.copy_count, true, archive, by);
    if (!copy)
        return false;
    r_close(&r.archives[archive]);
    r_copy_folder(copy->path, r.archives[archive].path);
    r_open(&r.archives[archive], SK_STORE_ARCHIVE);
    for (int i = 0; i < copy->model.at.log_count; i++)
        if (m.archives[archive].logs[i].revoked < copy->model.at.logs[i].revoked)
            m_met(M_ARCHIVE_FORGOT_MET);
    if (m.archives[archive].key_count > copy->model.at.key_count)
        m_met(M_ARCHIVE_KEYS_MET);
    m.archives[archive] = copy->model.at;
    r.behind[archive] = true;
    m_met(M_ARCHIVE_BACK_MET);
    r_compare_archive(archive);
    return true;
}

/* ---- backup and restore ---- */

static bool back_up(int device)
{
    uint64_t bytes = 0;
    if (r.backup_count == R_BACKUPS)
        return false;
    struct r_copy *copy = &r.backups[r.backup_count++];
    *copy = (struct r_copy){.owner = device, .model.device = m.devices[device]};
    r_path(copy->path, "far", "backup");
    struct sk_store_options options = sk_test_options(r.devices[device].path, SK_STORE_DEVICE);
    EXPECT_OK(
        sk_backup(r.devices[device].store, options.unlock, copy->path, NULL, &bytes, &sk_test_err));
    r_close(&r.devices[device]);
    r_open(&r.devices[device], SK_STORE_DEVICE);
    return true;
}

static enum sk_status note_loss(void *context, const struct sk_loss *loss, struct sk_error *err)
{
    (void)context, (void)err;
    r_fail("a restore lost entries %llu to %llu", (unsigned long long)loss->from,
           (unsigned long long)loss->to);
}

/* The model's part of it: a new log that begins with what it continues. */
static void inherit_purged(struct m_device *device, const struct m_device *old)
{
    for (int p = 0; p < old->history.size; p++) {
        device->purged.at[p + 1] = old->purged.at[p];
        device->promised[p + 1] = old->promised[p];
        if (old->purged.at[p])
            m_met(M_PURGED_RESTORED_MET);
    }
}

static void succeed(int device, const struct m_device *old)
{
    struct m_device *d = &m.devices[device];
    struct m_entry *entry = &m.entries[m.entry_count];
    uint8_t bytes[SK_ENTRY_LEN];
    struct sk_entry real;
    bool found = false;
    EXPECT_OK(sk_log_entry(r.devices[device].store, SK_LOG_OWN, 0, bytes, &found, &sk_test_err));
    r_equal("the first entry", found, true);
    EXPECT_OK(sk_entry_decode(&real, bytes));
    r_equal("its type", real.type, SK_TYPE_CONTINUATION);
    *d = (struct m_device){.log = 0};
    note_log(device);
    *entry = (struct m_entry){.id = real.id,
                              .type = SK_TYPE_CONTINUATION,
                              .revision = 1,
                              .new_log = d->log,
                              .old_log = old->log,
                              .told = m.told_count};
    m.told[m.told_count++] = old->history;
    d->history.size = old->history.size + 1;
    d->history.at[0] = (int16_t)m.entry_count++;
    memcpy(d->history.at + 1, old->history.at,
           (size_t)old->history.size * sizeof(old->history.at[0]));
    inherit_purged(d, old);
}

/* Archives invite the new store; or somebody gives it the last invite once more, which is wrong. */
static void enrol(int device, bool used_twice)
{
    for (int archive = 0; archive < M_ARCHIVES; archive++) {
        const struct r_invite *last = NULL;
        for (int i = 0; i < r.invite_count; i++)
            if (r.invites[i].device == device && m.pairs[r.invites[i].pair].archive == archive)
                last = &r.invites[i];
        if (!last)
            continue;
        if (used_twice || m.pair_count == M_PAIRS || r.invite_count == M_PAIRS) {
            (void)r_accept(device, last);
            r.clean[device] = false;
            continue;
        }
        r_invite(archive, device);
        (void)r_accept(device, &r.invites[r.invite_count - 1]);
    }
}

static bool restore(int device, uint32_t by)
{
    const struct r_copy *copy = find_copy(r.backups, r.backup_count, false, device, by / 4);
    struct sk_succession_result result;
    struct r_store *at = &r.devices[device];
    if (!copy || m.log_count == M_LOGS || copy->model.device.history.size >= M_ROOM)
        return false;
    const struct m_device old = copy->model.device;
    r_close(at);
    r_path(at->path, "disk", "device");
    struct sk_store_options store = sk_test_options(at->path, SK_STORE_DEVICE);
    const struct sk_succession_options options = {
        .store = &store, .loss = note_loss, .readable = true};
    EXPECT_OK(sk_restore(copy->path, &options, NULL, NULL, NULL, &result, &sk_test_err));
    r_equal("entries carried", (long long)result.carried, old.history.size);
    r_equal("losses", (long long)result.losses, 0);
    r_open(at, SK_STORE_DEVICE);
    succeed(device, &old);
    r.clean[device] = true;
    enrol(device, by % 4 == 0);
    r_compare_device(device);
    return true;
}

bool r_act_copy(const struct r_action *action)
{
    int device = (int)(action->by[0] % M_DEVICES);
    int archive = (int)(action->by[0] % M_ARCHIVES);
    uint32_t by = action->by[1];
    switch ((int)action->kind) {
    case R_COPY:
        return copy_device(device);
    case R_PUT_BACK:
        return put_back_device(device, by);
    case R_COPY_ARCHIVE:
        return copy_archive(archive);
    case R_PUT_BACK_ARCHIVE:
        return put_back_archive(archive, by);
    case R_BACKUP:
        return back_up(device);
    case R_RESTORE:
        return restore(device, by);
    default:
        return false;
    }
}
