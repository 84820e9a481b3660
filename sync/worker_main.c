/*
 * The worker itself: gives everything up, says so, gets one job, and writes what it makes of the
 * bundle to its socket. Nothing here is believed by the other side.
 */
#include "crypto/bytes.h"
#include "sync/manifest.h"
#include "sync/unpack.h"
#include "sync/worker_sandbox.h"
#include "sync/worker_wire.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OUT_LEN    ((size_t)256 * 1024)
#define DIRECT_LEN ((size_t)64 * 1024) /* from here on bytes are written from where they are */
#define PIECE_LEN  ((size_t)SK_WIRE_MAX)

/* A worker that cannot speak has nothing left to do. */
#define EXIT_SILENT 1

struct worker {
    struct sk_file *file; /* this and the next are never closed: no call for that is allowed */
    struct sk_unpack *unpack;
    uint64_t done; /* bytes of the file or stream */
    uint64_t stream_left;
    uint64_t entries;
    uint64_t plain_left;
    size_t out_len;
    uint8_t out[OUT_LEN];
    uint8_t piece[PIECE_LEN];
};

static struct worker worker;

/* ---- speaking ---- */

static void write_all(const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        ssize_t n = write(SK_WORKER_SOCKET, bytes, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(EXIT_SILENT);
        bytes += n;
        len -= (size_t)n;
    }
}

static void flush(void)
{
    write_all(worker.out, worker.out_len);
    worker.out_len = 0;
}

static void append(const uint8_t *bytes, size_t len)
{
    if (len > OUT_LEN - worker.out_len)
        flush();
    if (len >= DIRECT_LEN) {
        flush();
        write_all(bytes, len);
        return;
    }
    memcpy(worker.out + worker.out_len, bytes, len);
    worker.out_len += len;
}

static void begin(enum sk_wire kind, size_t len)
{
    uint8_t head[SK_WIRE_HEAD_LEN] = {(uint8_t)kind};
    sk_put_u32(head + 4, (uint32_t)len);
    sk_put_u64(head + 8, worker.done);
    append(head, sizeof(head));
}

/* Of any length, in records that are short enough. */
static void say(enum sk_wire kind, const uint8_t *bytes, size_t len)
{
    while (len > 0) {
        size_t part = len < SK_WIRE_MAX ? len : SK_WIRE_MAX;
        begin(kind, part);
        append(bytes, part);
        bytes += part;
        len -= part;
    }
}

static enum sk_status say_raw(void *context, const void *bytes, size_t len, struct sk_error *err)
{
    (void)context, (void)err;
    say(SK_WIRE_RAW, bytes, len);
    return SK_OK;
}

/* ---- listening ---- */

static void read_all(uint8_t *out, size_t len)
{
    while (len > 0) {
        ssize_t n = read(SK_WORKER_SOCKET, out, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            _exit(EXIT_SILENT);
        out += n;
        len -= (size_t)n;
    }
}

/* The stream comes from the receiver, as it is asked for. */
static enum sk_status ask(void *context, void *out, size_t len, struct sk_error *err)
{
    uint8_t *at = out;
    (void)context;
    if (len > worker.stream_left)
        return sk_fail(err, SK_DAMAGED, "the content ends too early");
    worker.stream_left -= len;
    while (len > 0) {
        size_t part = len < SK_WIRE_NEED_MAX ? len : SK_WIRE_NEED_MAX;
        uint8_t asked[4];
        sk_put_u32(asked, (uint32_t)part);
        say(SK_WIRE_NEED, asked, sizeof(asked));
        flush();
        read_all(at, part);
        at += part;
        len -= part;
    }
    return SK_OK;
}

static void note_progress(void *context, uint64_t done, uint64_t total)
{
    (void)context, (void)total;
    worker.done = done;
}

/* ---- unpacking ---- */

static enum sk_status take_manifest(struct sk_source source, struct sk_error *err)
{
    struct sk_manifest manifest;
    uint8_t *at = worker.piece;
    SK_TRY(sk_source_read(&source, at, 4, err));
    uint32_t len = sk_get_u32(at);
    if (len == 0 || len > SK_MANIFEST_MAX)
        return sk_fail(err, SK_LIMIT, "the manifest is too long");
    SK_TRY(sk_source_read(&source, at + 4, len + SK_SIGNATURE_LEN, err));
    SK_TRY(sk_manifest_decode(&manifest, at + 4, len, err));
    worker.entries = manifest.n1 - manifest.n0;
    worker.plain_left = manifest.plain_bytes;
    say(SK_WIRE_BYTES, at, 4 + len + SK_SIGNATURE_LEN);
    return SK_OK;
}

static enum sk_status take_entries(struct sk_source source, struct sk_error *err)
{
    const uint64_t most = PIECE_LEN / SK_ENTRY_LEN / 4;
    while (worker.entries > 0) {
        uint64_t count = worker.entries < most ? worker.entries : most;
        size_t len = (size_t)count * SK_ENTRY_LEN;
        SK_TRY(sk_source_read(&source, worker.piece, len, err));
        say(SK_WIRE_BYTES, worker.piece, len);
        worker.entries -= count;
    }
    return SK_OK;
}

/* Text and body: what either says is for the receiver to read. *lost: it was told to look for no
 * more of them. */
static enum sk_status take_plain(uint64_t len, bool *lost, struct sk_error *err)
{
    while (len > 0 && !*lost) {
        size_t part = len < PIECE_LEN ? (size_t)len : PIECE_LEN;
        SK_TRY(sk_unpack_try(worker.unpack, worker.piece, part, lost, err));
        if (*lost)
            begin(SK_WIRE_LOST, 0);
        else
            say(SK_WIRE_DATA, worker.piece, part);
        len -= part;
    }
    return SK_OK;
}

static enum sk_status take_payloads(struct sk_error *err)
{
    sk_auto_buf hashes = SK_BUF_INIT;
    for (;;) {
        struct sk_payload_head head = {0};
        uint8_t encoded[SK_PAYLOAD_HEAD_LEN];
        bool more = false;
        bool lost = false;
        SK_TRY(sk_unpack_next(worker.unpack, &head, &hashes, worker.plain_left, &more, err));
        if (!more)
            return SK_OK;
        worker.plain_left -= head.text_len + head.body_len;
        sk_payload_head_encode(encoded, &head);
        begin(SK_WIRE_PAYLOAD, sizeof(encoded) + hashes.len);
        append(encoded, sizeof(encoded));
        append(hashes.bytes, hashes.len);
        SK_TRY(take_plain(head.text_len, &lost, err));
        SK_TRY(take_plain(head.body_len, &lost, err));
    }
}

static enum sk_status run(const struct sk_unpack_from *from, struct sk_error *err)
{
    uint8_t hash[32] = {0};
    SK_TRY(sk_unpack_open(&worker.unpack, from, NULL, err));
    SK_TRY(take_manifest(sk_unpack_source(worker.unpack), err));
    SK_TRY(take_entries(sk_unpack_source(worker.unpack), err));
    SK_TRY(take_payloads(err));
    if (!from->salvage)
        SK_TRY(sk_unpack_end(worker.unpack, hash, err));
    say(SK_WIRE_END, hash, sizeof(hash));
    return SK_OK;
}

/* ---- the job ---- */

static enum sk_status do_job(const uint8_t job[static SK_JOB_LEN], struct sk_error *err)
{
    const struct sk_progress progress = {note_progress, NULL};
    struct sk_volume_unlocked unlocked = {.chunks = sk_get_u64(job + SK_JOB_SIZE_AT)};
    struct sk_unpack_from from = {.progress = &progress};
    if (sk_get_u32(job + SK_JOB_RAW_AT))
        from.raw.write = say_raw;
    from.salvage = sk_get_u32(job + SK_JOB_SALVAGE_AT) != 0;
    if (sk_get_u32(job + SK_JOB_KIND_AT) == SK_JOB_KIND_STREAM) {
        from.stream_len = worker.stream_left = unlocked.chunks;
        from.stream.read = ask;
        return run(&from, err);
    }
    sk_auto_free uint8_t *header = malloc(SK_VOLUME_HEADER_LEN);
    if (!header)
        return sk_fail_status(err, SK_NOMEM);
    memcpy(unlocked.key, job + SK_JOB_KEY_AT, sizeof(unlocked.key));
    SK_TRY(sk_file_adopt(&worker.file, SK_WORKER_FILE, "", err));
    SK_TRY(sk_file_read_at(worker.file, header, SK_VOLUME_HEADER_LEN, 0, err));
    from.file = worker.file;
    from.header = header;
    from.unlocked = &unlocked;
    return run(&from, err);
}

static void say_failure(enum sk_status status, const struct sk_error *err)
{
    struct sk_wire_failure failure;
    uint8_t bytes[SK_WIRE_FAILED_LEN];
    sk_wire_failure_of(&failure, status, err);
    sk_put_u32(bytes, failure.status);
    sk_put_u32(bytes + 4, failure.words);
    sk_put_u64(bytes + 8, failure.number);
    say(SK_WIRE_FAILED, bytes, sizeof(bytes));
}

static void say_unfit(int number, const char *step)
{
    uint8_t bytes[4 + SK_WIRE_WORDS_MAX];
    size_t len = strnlen(step, SK_WIRE_WORDS_MAX);
    sk_put_u32(bytes, (uint32_t)number);
    memcpy(bytes + 4, step, len);
    say(SK_WIRE_UNFIT, bytes, 4 + len);
    flush();
}

/* Gives up what a worker must not have, and says whether that went well. */
static bool make_ready(void)
{
    const char *step = "the cryptographic library does not start";
    uint8_t ready[4] = {0};
    int failed = sk_crypto_init() == SK_OK ? sk_sandbox_enter(&ready[3], &step) : ENOSYS;
    if (failed) {
        say_unfit(failed, step);
        return false;
    }
    say(SK_WIRE_READY, ready, sizeof(ready));
    flush();
    return true;
}

bool sk_worker_called(int argc, char **argv)
{
    return argc == 1 && strcmp(argv[0], SK_WORKER_NAME) == 0;
}

int sk_worker_main(void)
{
    struct sk_error err = SK_ERROR_INIT;
    uint8_t job[SK_JOB_LEN];
    (void)signal(SIGPIPE, SIG_IGN);
    if (!make_ready())
        _exit(EXIT_SILENT);
    read_all(job, sizeof(job));
    if (sk_get_u32(job) != SK_JOB_VERSION)
        _exit(EXIT_SILENT);
    enum sk_status status = do_job(job, &err);
    if (status != SK_OK)
        say_failure(status, &err);
    flush();
    /* Not exit(): what would run then was never meant for a sandbox. */
    _exit(0);
}
