/*
 * The receiver's side of a worker, against one that is in the hands of whoever wrote the bundle:
 * the input is all that it ever says. A byte of options comes first: whether it reads a file or a
 * stream that is kept, and whether the raw bytes are wanted.
 *
 * What would start a process gives a socket here.
 */
#include "core/file.h"
#include "sync/manifest.h"
#include "sync/worker_client.h"
#include "sync/worker_process.h"
#include "sync/worker_wire.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/stream.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define INPUT_MAX  (128u * 1024) /* what a socket holds */
#define STREAM_LEN 8192u
#define PLAIN_MAX  (64ull * 1024)
#define CHUNKS     3u

static struct {
    const uint8_t *bytes;
    size_t len;
    int other; /* end of the socket */
    unsigned open;
} mouth;

int sk_worker_process_start(struct sk_worker_process *out, const char *name, int file)
{
    int pair[2];
    int room = 4 * (int)INPUT_MAX;
    (void)name, (void)file;
    SK_FUZZ_CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
    (void)setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof(room));
    if (mouth.len > 0)
        SK_FUZZ_CHECK(write(pair[1], mouth.bytes, mouth.len) == (ssize_t)mouth.len);
    SK_FUZZ_CHECK(shutdown(pair[1], SHUT_WR) == 0);
    *out = (struct sk_worker_process){.pid = 0, .socket = pair[0]};
    mouth.other = pair[1];
    mouth.open = 1;
    return 0;
}

bool sk_worker_process_wait(struct sk_worker_process *process, int *how)
{
    (void)process;
    *how = 0;
    return false;
}

void sk_worker_process_end(struct sk_worker_process *process)
{
    if (process->socket < 0)
        return;
    (void)close(process->socket);
    (void)close(mouth.other);
    process->socket = -1;
    mouth.open = 0;
}

struct raw {
    uint64_t len;
};

static enum sk_status count_raw(void *context, const void *bytes, size_t len, struct sk_error *err)
{
    struct raw *raw = context;
    (void)bytes, (void)err;
    raw->len += len;
    return SK_OK;
}

static struct sk_file *some_file(void)
{
    static struct sk_file *file;
    if (!file) {
        int fd = memfd_create("bundle", MFD_CLOEXEC);
        SK_FUZZ_CHECK(fd >= 0 && sk_file_adopt(&file, fd, "bundle", NULL) == SK_OK);
    }
    return file;
}

/* As an import reads it: manifest, entries, payloads, the end. */
static enum sk_status read_all(struct sk_unpack *u, struct sk_error *err)
{
    static uint8_t piece[65536];
    struct sk_source source = sk_unpack_source(u);
    sk_auto_buf hashes = SK_BUF_INIT;
    uint64_t left = PLAIN_MAX;
    uint8_t hash[32];
    SK_TRY(sk_source_read(&source, piece, 4, err));
    SK_TRY(sk_source_read(&source, piece, 200 + (size_t)piece[0] * 256, err));
    for (;;) {
        struct sk_payload_head head;
        bool more = false;
        SK_TRY(sk_unpack_next(u, &head, &hashes, left, &more, err));
        if (!more)
            break;
        SK_FUZZ_CHECK(head.text_len + head.body_len <= left);
        SK_FUZZ_CHECK(hashes.len == sk_block_count(head.text_len, head.body_len) * SK_HASH_LEN);
        left -= head.text_len + head.body_len;
        SK_TRY(sk_unpack_read(u, piece, head.text_len, err));
        SK_TRY(sk_unpack_read(u, piece, (size_t)head.body_len, err));
    }
    return sk_unpack_end(u, hash, err);
}

static enum sk_status talk(struct sk_unpack_from *from, struct sk_error *err)
{
    static const struct sk_worker worker = {SK_WORKER_NAME, 1};
    sk_auto_unpack unpack = NULL;
    SK_TRY(sk_unpack_open(&unpack, from, &worker, err));
    return read_all(unpack, err);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static const uint8_t zeros[STREAM_LEN];
    struct sk_memory stream = {zeros, STREAM_LEN, 0};
    const struct sk_volume_unlocked unlocked = {.chunks = CHUNKS};
    struct raw raw = {0};
    struct sk_unpack_from from = {.unlocked = &unlocked};
    struct sk_error err = SK_ERROR_INIT;
    if (len == 0 || len > INPUT_MAX)
        return 0;
    if (bytes[0] & 1)
        from.file = some_file();
    else
        from.stream_len = STREAM_LEN;
    from.stream = sk_memory_source(&stream);
    if (bytes[0] & 2)
        from.raw = (struct sk_sink){count_raw, &raw};
    mouth.bytes = bytes + 1;
    mouth.len = len - 1;
    enum sk_status status = talk(&from, &err);
    SK_FUZZ_CHECK(!mouth.open);
    SK_FUZZ_CHECK(status == SK_OK || err.text[0]);
    SK_FUZZ_CHECK(status == SK_OK || status == SK_DAMAGED || status == SK_REFUSED ||
                  status == SK_LIMIT || status == SK_CONFIG || status == SK_IO ||
                  status == SK_NOMEM);
    SK_FUZZ_CHECK(raw.len <= (from.file ? CHUNKS * SK_CHUNK_PLAIN_LEN : STREAM_LEN));
    return 0;
}
