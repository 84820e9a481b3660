/*
 * The receiver's side: starts a worker, listens to it, and believes nothing of what it says beyond
 * lengths that were checked here.
 */
#include "sync/worker.h"

#include "crypto/bytes.h"
#include "sync/worker_client.h"
#include "sync/worker_process.h"
#include "sync/worker_wire.h"

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define BUFFER_LEN    ((size_t)256 * 1024)
#define DIRECT_LEN    ((size_t)64 * 1024) /* from here on bytes are received where they belong */
#define MIB           ((uint64_t)1024 * 1024)
#define SECONDS_A_MIB 10u

#define ASK    "Ask the device's owner for the bundle again"
#define ATTACK "this file may be an attack. " ASK

struct sk_worker_client {
    struct sk_unpack_from from;
    unsigned patience_s;
    uint64_t waited_s;
    uint64_t received;
    struct sk_worker_process process;
    enum sk_wire kind; /* of the record that is being read ... */
    uint32_t left;     /* ... and what is left of it */
    uint64_t raw_left;
    uint64_t stream_left;
    uint64_t total, done; /* for the progress */
    uint64_t last_index;
    uint64_t payload_left; /* of the payload at hand: text and body not taken yet */
    bool given;            /* it has its job: from here on what it does is the bundle's doing */
    bool ended;
    uint8_t file_hash[SK_HASH_LEN];
    size_t buffer_from, buffer_to;
    uint8_t buffer[BUFFER_LEN];
};

static const char *name_of(const struct sk_worker_client *client)
{
    return client->from.file ? sk_file_path(client->from.file) : "a bundle in quarantine";
}

/* ---- its end ---- */

/* Signals that others send, and no fault of what is read. */
static bool from_outside(int number)
{
    static const int known[] = {SIGKILL, SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGXCPU};
    for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
        if (known[i] == number)
            return true;
    return false;
}

static enum sk_status fail_killed(const struct sk_worker_client *client, int number,
                                  struct sk_error *err)
{
    if (from_outside(number) && !client->given)
        return sk_fail(err, SK_IO, "the process that is to read bundles was killed (signal %d)",
                       number);
    if (!client->given)
        return sk_fail(err, SK_CONFIG,
                       "bundles cannot be read in a sandbox here: the process for it ended (signal "
                       "%d)",
                       number);
    if (from_outside(number))
        return sk_fail(err, SK_IO, "%s: what read it was killed (signal %d)", name_of(client),
                       number);
    if (number == SIGSYS)
        return sk_fail(
            err, SK_REFUSED,
            "%s: what read it tried a system call that it may not make, and was killed: " ATTACK,
            name_of(client));
    return sk_fail(err, SK_REFUSED, "%s: what read it crashed (signal %d): " ATTACK,
                   name_of(client), number);
}

/* Why it stopped speaking. Its own crash is the bundle's doing; a signal from outside is not. */
static enum sk_status fail_dead(struct sk_worker_client *client, struct sk_error *err)
{
    int how = 0;
    bool known = sk_worker_process_wait(&client->process, &how);
    sk_worker_process_end(&client->process);
    if (known && WIFSIGNALED(how))
        return fail_killed(client, WTERMSIG(how), err);
    if (!client->given)
        return sk_fail(err, SK_CONFIG,
                       "bundles cannot be read in a sandbox here: the process for it ended (code "
                       "%d)",
                       WEXITSTATUS(how));
    return sk_fail(err, SK_REFUSED, "%s: what read it ended before it was done. " ASK,
                   name_of(client));
}

static enum sk_status fail_nonsense(struct sk_worker_client *client, struct sk_error *err)
{
    sk_worker_process_end(&client->process);
    if (!client->given)
        return sk_fail(err, SK_CONFIG,
                       "bundles cannot be read in a sandbox here: the process for it is another "
                       "program");
    return sk_fail(err, SK_REFUSED, "%s: what read it gave an answer that makes no sense: " ATTACK,
                   name_of(client));
}

/* ---- bytes ---- */

/* Waits until the socket can be read or written. A stopped process counts no time: only seconds
 * that poll() itself sat through. */
static enum sk_status wait_for(struct sk_worker_client *client, short what, struct sk_error *err)
{
    struct pollfd poller = {.fd = client->process.socket, .events = what};
    for (;;) {
        int ready = poll(&poller, 1, 1000);
        if (ready > 0)
            return SK_OK;
        if (ready < 0 && errno != EINTR)
            return sk_fail_errno(err, SK_IO, "%s: waiting for what reads it failed",
                                 name_of(client));
        if (ready == 0 &&
            ++client->waited_s >= client->patience_s + client->received / MIB * SECONDS_A_MIB) {
            sk_worker_process_end(&client->process);
            return sk_fail(err, SK_IO,
                           "%s: what reads it has given too little for too long, and was ended",
                           name_of(client));
        }
    }
}

static enum sk_status receive(struct sk_worker_client *client, uint8_t *out, size_t room,
                              size_t *got, struct sk_error *err)
{
    if (client->process.socket < 0)
        return sk_fail(err, SK_REFUSED, "%s: what read it has ended", name_of(client));
    for (;;) {
        ssize_t n = recv(client->process.socket, out, room, MSG_DONTWAIT);
        if (n > 0) {
            client->received += (uint64_t)n;
            *got = (size_t)n;
            return SK_OK;
        }
        if (n == 0 || errno == ECONNRESET)
            return fail_dead(client, err);
        if (errno == EAGAIN || errno == EWOULDBLOCK)
            SK_TRY(wait_for(client, POLLIN, err));
        else if (errno != EINTR)
            return sk_fail_errno(err, SK_IO, "%s: listening to what reads it failed",
                                 name_of(client));
    }
}

static enum sk_status take(struct sk_worker_client *client, void *out, size_t len,
                           struct sk_error *err)
{
    uint8_t *at = out;
    while (len > 0) {
        size_t part = client->buffer_to - client->buffer_from;
        part = part < len ? part : len;
        if (part > 0) {
            memcpy(at, client->buffer + client->buffer_from, part);
            client->buffer_from += part;
        } else if (len >= DIRECT_LEN) {
            SK_TRY(receive(client, at, len, &part, err));
        } else {
            client->buffer_from = client->buffer_to = 0;
            SK_TRY(receive(client, client->buffer, BUFFER_LEN, &client->buffer_to, err));
        }
        at += part;
        len -= part;
    }
    return SK_OK;
}

static enum sk_status give(struct sk_worker_client *client, const uint8_t *bytes, size_t len,
                           struct sk_error *err)
{
    while (len > 0) {
        ssize_t n = send(client->process.socket, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            SK_TRY(wait_for(client, POLLOUT, err));
        } else if (errno != EINTR) {
            return fail_dead(client, err);
        }
    }
    return SK_OK;
}

/* ---- records ---- */

static bool length_fits(enum sk_wire kind, uint32_t len)
{
    switch (kind) {
    case SK_WIRE_READY:
    case SK_WIRE_NEED:
        return len == 4;
    case SK_WIRE_UNFIT:
        return len >= 4 && len <= 4 + SK_WIRE_WORDS_MAX;
    case SK_WIRE_BYTES:
    case SK_WIRE_DATA:
    case SK_WIRE_RAW:
        return len >= 1 && len <= SK_WIRE_MAX;
    case SK_WIRE_PAYLOAD:
        return len >= SK_PAYLOAD_HEAD_LEN && len <= SK_WIRE_MAX;
    case SK_WIRE_END:
        return len == SK_HASH_LEN;
    case SK_WIRE_FAILED:
        return len == SK_WIRE_FAILED_LEN;
    case SK_WIRE_LOST:
        return len == 0;
    }
    return false;
}

static enum sk_status read_head(struct sk_worker_client *client, struct sk_error *err)
{
    uint8_t head[SK_WIRE_HEAD_LEN];
    SK_TRY(take(client, head, sizeof(head), err));
    uint32_t len = sk_get_u32(head + 4);
    uint64_t done = sk_get_u64(head + 8);
    if (head[1] | head[2] | head[3] || !length_fits((enum sk_wire)head[0], len))
        return fail_nonsense(client, err);
    client->kind = (enum sk_wire)head[0];
    client->left = len;
    if (done > client->done && done <= client->total) {
        client->done = done;
        sk_progress_tell(client->from.progress, done, client->total);
    }
    return SK_OK;
}

/* What the worker asks for out of a stream that is kept here. */
static enum sk_status answer_need(struct sk_worker_client *client, struct sk_error *err)
{
    uint8_t asked[4];
    SK_TRY(take(client, asked, sizeof(asked), err));
    uint32_t len = sk_get_u32(asked);
    client->left = 0;
    if (len == 0 || len > SK_WIRE_NEED_MAX || len > client->stream_left)
        return fail_nonsense(client, err);
    sk_auto_free uint8_t *bytes = malloc(len);
    if (!bytes)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(sk_source_read(&client->from.stream, bytes, len, err));
    client->stream_left -= len;
    enum sk_status status = give(client, bytes, len, err);
    sk_wipe(bytes, len);
    return status;
}

static enum sk_status take_raw(struct sk_worker_client *client, struct sk_error *err)
{
    size_t len = client->left;
    if (!client->from.raw.write || len > client->raw_left)
        return fail_nonsense(client, err);
    sk_auto_free uint8_t *bytes = malloc(len);
    if (!bytes)
        return sk_fail_status(err, SK_NOMEM);
    SK_TRY(take(client, bytes, len, err));
    client->left = 0;
    client->raw_left -= len;
    return sk_sink_write(&client->from.raw, bytes, len, err);
}

static enum sk_status take_failure(struct sk_worker_client *client, struct sk_error *err)
{
    uint8_t bytes[SK_WIRE_FAILED_LEN];
    SK_TRY(take(client, bytes, sizeof(bytes), err));
    const struct sk_wire_failure failure = {sk_get_u32(bytes), sk_get_u32(bytes + 4),
                                            sk_get_u64(bytes + 8)};
    sk_worker_process_end(&client->process);
    return sk_wire_fail(err, &failure, client->from.file ? name_of(client) : NULL);
}

/* Goes on to the next record that is one of two kinds, and serves those that may come between. */
static enum sk_status next_record(struct sk_worker_client *client, enum sk_wire one,
                                  enum sk_wire other, struct sk_error *err)
{
    if (client->left > 0)
        return fail_nonsense(client, err);
    for (;;) {
        SK_TRY(read_head(client, err));
        if (client->kind == one || client->kind == other)
            return SK_OK;
        if (client->kind == SK_WIRE_FAILED)
            return take_failure(client, err);
        if (client->kind == SK_WIRE_NEED)
            SK_TRY(answer_need(client, err));
        else if (client->kind == SK_WIRE_RAW)
            SK_TRY(take_raw(client, err));
        else
            return fail_nonsense(client, err);
    }
}

/* Bytes that come in records of one kind. */
static enum sk_status take_kind(struct sk_worker_client *client, enum sk_wire kind, void *out,
                                size_t len, struct sk_error *err)
{
    uint8_t *at = out;
    while (len > 0) {
        if (client->left == 0 || client->kind != kind)
            SK_TRY(next_record(client, kind, kind, err));
        size_t part = client->left < len ? client->left : len;
        SK_TRY(take(client, at, part, err));
        client->left -= (uint32_t)part;
        at += part;
        len -= part;
    }
    return SK_OK;
}

enum sk_status sk_worker_bytes(struct sk_worker_client *client, void *out, size_t len,
                               struct sk_error *err)
{
    return take_kind(client, SK_WIRE_BYTES, out, len, err);
}

enum sk_status sk_worker_read(struct sk_worker_client *client, void *out, size_t len,
                              struct sk_error *err)
{
    return take_kind(client, SK_WIRE_DATA, out, len, err);
}

enum sk_status sk_worker_try(struct sk_worker_client *client, void *out, size_t len, bool *lost,
                             struct sk_error *err)
{
    uint8_t *at = out;
    *lost = false;
    while (len > 0) {
        if (client->left == 0)
            SK_TRY(next_record(client, SK_WIRE_DATA,
                               client->from.salvage ? SK_WIRE_LOST : SK_WIRE_DATA, err));
        if (client->kind == SK_WIRE_LOST) {
            client->payload_left = 0;
            *lost = true;
            return SK_OK;
        }
        size_t part = client->left < len ? client->left : len;
        SK_TRY(take(client, at, part, err));
        client->left -= (uint32_t)part;
        client->payload_left -= part;
        at += part;
        len -= part;
    }
    return SK_OK;
}

/* What nobody asked for of a payload, in a salvage. */
static enum sk_status pass_over(struct sk_worker_client *client, struct sk_error *err)
{
    uint8_t piece[4096];
    bool lost = false;
    while (client->payload_left > 0) {
        size_t part =
            client->payload_left < sizeof(piece) ? (size_t)client->payload_left : sizeof(piece);
        SK_TRY(sk_worker_try(client, piece, part, &lost, err));
    }
    sk_wipe(piece, sizeof(piece));
    return SK_OK;
}

/* The head is checked before anything is allocated by it. */
static enum sk_status take_payload(struct sk_worker_client *client, struct sk_payload_head *head,
                                   struct sk_buf *hashes, uint64_t plain_left, struct sk_error *err)
{
    uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
    struct sk_payload_head read;
    SK_TRY(take(client, encoded, sizeof(encoded), err));
    sk_payload_head_decode(&read, encoded);
    sk_wipe(encoded, sizeof(encoded));
    SK_TRY(sk_payload_head_check(&read, client->last_index, plain_left, err));
    uint64_t len = sk_block_count(read.text_len, read.body_len) * SK_HASH_LEN;
    if (len != client->left - SK_PAYLOAD_HEAD_LEN)
        return fail_nonsense(client, err);
    sk_buf_reset(hashes);
    SK_TRY(sk_buf_grow(hashes, (size_t)len, err));
    SK_TRY(take(client, hashes->bytes, (size_t)len, err));
    hashes->len = (size_t)len;
    client->left = 0;
    client->last_index = read.index;
    client->payload_left = read.text_len + read.body_len;
    *head = read;
    sk_wipe(&read, sizeof(read));
    return SK_OK;
}

enum sk_status sk_worker_next(struct sk_worker_client *client, struct sk_payload_head *head,
                              struct sk_buf *hashes, uint64_t plain_left, bool *more,
                              struct sk_error *err)
{
    if (client->from.salvage)
        SK_TRY(pass_over(client, err));
    if (!client->ended)
        SK_TRY(next_record(client, SK_WIRE_PAYLOAD, SK_WIRE_END, err));
    if (!client->ended && client->kind == SK_WIRE_PAYLOAD)
        SK_TRY(take_payload(client, head, hashes, plain_left, err));
    else if (!client->ended) {
        SK_TRY(take(client, client->file_hash, SK_HASH_LEN, err));
        client->left = 0;
        client->ended = true;
    }
    *more = !client->ended;
    return SK_OK;
}

const uint8_t *sk_worker_file_hash(const struct sk_worker_client *client)
{
    return client->file_hash;
}

/* ---- its beginning ---- */

static enum sk_status fail_unfit(struct sk_worker_client *client, struct sk_error *err)
{
    uint8_t bytes[4 + SK_WIRE_WORDS_MAX + 1] = {0};
    SK_TRY(take(client, bytes, client->left, err));
    errno = (int)sk_get_u32(bytes);
    return sk_fail_errno(err, SK_CONFIG, "bundles cannot be read in a sandbox here: %s",
                         (const char *)bytes + 4);
}

static enum sk_status fail_start(struct sk_error *err, int number)
{
    errno = number;
    return sk_fail_errno(err, SK_CONFIG,
                         "bundles cannot be read in a sandbox here: a process for it does not "
                         "start");
}

static enum sk_status start(struct sk_worker_client *client, const struct sk_worker *worker,
                            struct sk_error *err)
{
    const struct sk_file *file = client->from.file;
    int number = sk_worker_process_start(&client->process, worker->name,
                                         file ? sk_file_descriptor(file) : -1);
    if (number)
        return fail_start(err, number);
    SK_TRY(next_record(client, SK_WIRE_READY, SK_WIRE_UNFIT, err));
    if (client->kind == SK_WIRE_UNFIT)
        return fail_unfit(client, err);
    uint8_t ready[4];
    return take_kind(client, SK_WIRE_READY, ready, sizeof(ready), err);
}

static enum sk_status client_new(struct sk_worker_client **out, const struct sk_worker *worker,
                                 const struct sk_unpack_from *from, struct sk_error *err)
{
    struct sk_worker_client *client = calloc(1, sizeof(*client));
    if (!client)
        return sk_fail_status(err, SK_NOMEM);
    client->from = *from;
    client->patience_s = worker->patience_s;
    client->process.socket = -1; /* calloc() made it a descriptor that is not ours */
    client->last_index = SK_PAYLOAD_NONE;
    *out = client;
    return SK_OK;
}

static void client_cleanup(struct sk_worker_client **client)
{
    sk_worker_close(*client);
}
#define auto_client __attribute__((cleanup(client_cleanup))) struct sk_worker_client *

/* Only now, behind the sandbox, does it get a key. */
static enum sk_status give_job(struct sk_worker_client *client, struct sk_error *err)
{
    const struct sk_volume_unlocked *unlocked = client->from.unlocked;
    uint8_t job[SK_JOB_LEN] = {0};
    sk_put_u32(job, SK_JOB_VERSION);
    sk_put_u32(job + SK_JOB_RAW_AT, client->from.raw.write != NULL);
    sk_put_u32(job + SK_JOB_SALVAGE_AT, client->from.salvage);
    if (client->from.file) {
        sk_put_u32(job + SK_JOB_KIND_AT, SK_JOB_KIND_FILE);
        sk_put_u64(job + SK_JOB_SIZE_AT, unlocked->chunks);
        memcpy(job + SK_JOB_KEY_AT, unlocked->key, sizeof(unlocked->key));
        client->total = SK_VOLUME_HEADER_LEN + unlocked->chunks * SK_CHUNK_LEN;
        client->raw_left = unlocked->chunks * SK_CHUNK_PLAIN_LEN;
    } else {
        sk_put_u32(job + SK_JOB_KIND_AT, SK_JOB_KIND_STREAM);
        sk_put_u64(job + SK_JOB_SIZE_AT, client->from.stream_len);
        client->total = client->stream_left = client->raw_left = client->from.stream_len;
    }
    client->given = true;
    enum sk_status status = give(client, job, sizeof(job), err);
    sk_wipe(job, sizeof(job));
    return status;
}

enum sk_status sk_worker_open(struct sk_worker_client **out, const struct sk_worker *worker,
                              const struct sk_unpack_from *from, struct sk_error *err)
{
    auto_client client = NULL;
    SK_TRY(client_new(&client, worker, from, err));
    SK_TRY(start(client, worker, err));
    SK_TRY(give_job(client, err));
    *out = SK_TAKE(client);
    return SK_OK;
}

enum sk_status sk_worker_check(const struct sk_worker *worker, struct sk_error *err)
{
    const struct sk_unpack_from nothing = {.file = NULL};
    auto_client client = NULL;
    SK_TRY(client_new(&client, worker, &nothing, err));
    return start(client, worker, err);
}

void sk_worker_close(struct sk_worker_client *client)
{
    if (!client)
        return;
    sk_worker_process_end(&client->process);
    sk_wipe(client, sizeof(*client));
    free(client);
}
