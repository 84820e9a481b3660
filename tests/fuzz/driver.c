/*
 * Replays a corpus through a fuzz target: every input, then ROUNDS mutations in all, the same ones
 * in every run. No run may take more than MEMORY MiB at a time.
 *
 * Files that end in .hex hold hexadecimal digits and white space; those that end in .lines such an
 * input on each line; others are inputs as they are.
 *
 * usage: fuzz_<target> CORPUS ROUNDS MEMORY
 */
#include "core/file.h"
#include "core/form.h"
#include "tests/fuzz/ceiling.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX  (4u * 1024 * 1024)
#define INPUTS_MAX 20000u
#define MORE       1024u /* bytes that a mutation may add */

#pragma weak LLVMFuzzerCustomMutator

struct input {
    uint8_t *bytes;
    size_t len;
};

struct replay {
    const char *folder;
    size_t memory;
    struct input *inputs;
    size_t count;
    size_t most; /* memory that a run took */
    unsigned long runs;
};

static uint64_t next_random(void)
{
    /* xorshift64: the point is that each run does the same. */
    static uint64_t random = 0x9e3779b97f4a7c15;
    random ^= random << 13;
    random ^= random >> 7;
    random ^= random << 17;
    return random;
}

/* ---- the corpus ---- */

static size_t decode_hex(uint8_t *bytes, size_t len)
{
    size_t out = 0;
    int high = -1;
    for (size_t i = 0; i < len; i++) {
        int digit = bytes[i] >= '0' && bytes[i] <= '9'   ? bytes[i] - '0'
                    : bytes[i] >= 'a' && bytes[i] <= 'f' ? bytes[i] - 'a' + 10
                                                         : -1;
        if (digit < 0)
            continue;
        if (high < 0) {
            high = digit;
            continue;
        }
        bytes[out++] = (uint8_t)(high << 4 | digit);
        high = -1;
    }
    return out;
}

static enum sk_status add(struct replay *replay, const uint8_t *bytes, size_t len,
                          struct sk_error *err)
{
    struct input *input = &replay->inputs[replay->count];
    input->bytes = malloc(len + 1);
    if (replay->count + 1 == INPUTS_MAX || !input->bytes)
        return sk_fail_status(err, SK_NOMEM);
    memcpy(input->bytes, bytes, len);
    input->len = len;
    replay->count++;
    return SK_OK;
}

static enum sk_status add_lines(struct replay *replay, uint8_t *bytes, size_t len,
                                struct sk_error *err)
{
    while (len > 0) {
        const uint8_t *end = memchr(bytes, '\n', len);
        size_t line = end ? (size_t)(end - bytes) : len;
        size_t step = end ? line + 1 : line;
        SK_TRY(add(replay, bytes, decode_hex(bytes, line), err));
        bytes += step;
        len -= step;
    }
    return SK_OK;
}

static bool ends_in(const char *name, const char *end)
{
    size_t len = strlen(name);
    return len > strlen(end) && strcmp(name + len - strlen(end), end) == 0;
}

static enum sk_status add_file(void *context, const char *name, struct sk_error *err)
{
    struct replay *replay = context;
    sk_auto_free char *path = NULL;
    sk_auto_buf file = SK_BUF_INIT;
    SK_TRY(sk_path_join(&path, replay->folder, name, err));
    SK_TRY(sk_file_load(&file, path, INPUT_MAX, err));
    if (ends_in(name, ".lines"))
        return add_lines(replay, file.bytes, file.len, err);
    size_t len = ends_in(name, ".hex") ? decode_hex(file.bytes, file.len) : file.len;
    return add(replay, file.bytes, len, err);
}

/* Folders are read in any order. */
static int compare(const void *a, const void *b)
{
    const struct input *x = a;
    const struct input *y = b;
    size_t len = x->len < y->len ? x->len : y->len;
    int order = memcmp(x->bytes, y->bytes, len);
    return order ? order : (x->len > y->len) - (x->len < y->len);
}

/* ---- mutations ---- */

/* One to four changes: a bit, a byte, a border number, a cut, a repeated piece. */
size_t LLVMFuzzerMutate(uint8_t *bytes, size_t len, size_t room)
{
    static const uint8_t borders[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, '"', '\n', '{'};
    for (uint64_t changes = next_random() % 4 + 1; changes && len; changes--) {
        size_t at = next_random() % len;
        switch (next_random() % 5) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << next_random() % 8);
            break;
        case 1:
            bytes[at] = (uint8_t)next_random();
            break;
        case 2:
            bytes[at] = borders[next_random() % sizeof(borders)];
            break;
        case 3:
            len = at;
            break;
        default: {
            size_t piece = next_random() % (len - at) + 1;
            if (piece > 64)
                piece = 64;
            if (len + piece > room)
                break;
            memmove(bytes + at + piece, bytes + at, len - at);
            len += piece;
        }
        }
    }
    return len;
}

/* ---- running ---- */

/* An allocation of the exact size, so that AddressSanitizer sees every byte too far. */
static bool run(struct replay *replay, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    sk_ceiling_begin();
    (void)LLVMFuzzerTestOneInput(copy, len);
    size_t taken = sk_ceiling_taken();
    free(copy);
    replay->runs++;
    if (taken > replay->most)
        replay->most = taken;
    if (taken <= replay->memory)
        return true;
    (void)fprintf(stderr, "%zu bytes of memory for this input, of %zu at most:\n", taken,
                  replay->memory);
    for (size_t i = 0; i < len; i++)
        (void)fprintf(stderr, "%02x", bytes[i]);
    (void)fprintf(stderr, "\n");
    return false;
}

static bool run_mutations(struct replay *replay, unsigned long rounds)
{
    bool right = true;
    for (unsigned long i = 0; right && i < rounds; i++) {
        const struct input *input = &replay->inputs[i % replay->count];
        size_t room = input->len + MORE;
        uint8_t *work = malloc(room);
        if (!work)
            abort();
        memcpy(work, input->bytes, input->len);
        size_t len = LLVMFuzzerCustomMutator
                         ? LLVMFuzzerCustomMutator(work, input->len, room, (unsigned)next_random())
                         : LLVMFuzzerMutate(work, input->len, room);
        right = run(replay, work, len);
        free(work);
    }
    return right;
}

int main(int argc, char **argv)
{
    struct sk_error err = SK_ERROR_INIT;
    if (argc != 4)
        return 64;
    struct replay replay = {.folder = argv[1],
                            .memory = strtoul(argv[3], NULL, 10) * 1024 * 1024,
                            .inputs = calloc(INPUTS_MAX, sizeof(struct input))};
    (void)LLVMFuzzerInitialize(&argc, &argv);
    if (!replay.inputs || sk_dir_each(replay.folder, add_file, &replay, &err) != SK_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    qsort(replay.inputs, replay.count, sizeof(struct input), compare);
    bool right = replay.count > 0;
    for (size_t i = 0; i < replay.count; i++)
        right &= run(&replay, replay.inputs[i].bytes, replay.inputs[i].len);
    right = right && run_mutations(&replay, strtoul(argv[2], NULL, 10));
    (void)printf("%zu inputs, %lu runs, %zu KiB at most\n", replay.count, replay.runs,
                 replay.most / 1024);
    for (size_t i = 0; i < replay.count; i++)
        free(replay.inputs[i].bytes);
    free(replay.inputs);
    sk_forms_clear();
    return right ? 0 : 1;
}
