/*
 * Replays a corpus through a fuzz target: every file, then ROUNDS mutations of each, the same ones
 * in every run. Files that end in .hex hold hexadecimal digits and white space.
 *
 * usage: fuzz_<target> CORPUS ROUNDS
 */
#include "core/file.h"
#include "core/form.h"
#include "core/json.h"
#include "crypto/secret.h"
#include "tests/fuzz/fuzz.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define INPUT_MAX (4u * 1024 * 1024)

struct replay {
    const char *folder;
    unsigned long rounds;
    unsigned long files;
    unsigned long runs;
    uint64_t random;
};

static uint64_t next_random(struct replay *replay)
{
    /* xorshift64: the point is that each run does the same. */
    replay->random ^= replay->random << 13;
    replay->random ^= replay->random >> 7;
    replay->random ^= replay->random << 17;
    return replay->random;
}

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

/* One to four changes: a bit, a byte, a border number, a cut, a repeated piece. */
static size_t mutate(struct replay *replay, uint8_t *bytes, size_t len, size_t room)
{
    static const uint8_t borders[] = {0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff, '"', '\n', '{'};
    for (uint64_t changes = next_random(replay) % 4 + 1; changes && len; changes--) {
        size_t at = next_random(replay) % len;
        switch (next_random(replay) % 5) {
        case 0:
            bytes[at] ^= (uint8_t)(1u << next_random(replay) % 8);
            break;
        case 1:
            bytes[at] = (uint8_t)next_random(replay);
            break;
        case 2:
            bytes[at] = borders[next_random(replay) % sizeof(borders)];
            break;
        case 3:
            len = at;
            break;
        default: {
            size_t piece = next_random(replay) % (len - at) + 1;
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

/* An allocation of the exact size, so that AddressSanitizer sees every byte too far. */
static void run(struct replay *replay, const uint8_t *bytes, size_t len)
{
    uint8_t *copy = malloc(len ? len : 1);
    if (!copy)
        abort();
    memcpy(copy, bytes, len);
    (void)LLVMFuzzerTestOneInput(copy, len);
    free(copy);
    replay->runs++;
}

static enum sk_status replay_file(void *context, const char *name, struct sk_error *err)
{
    struct replay *replay = context;
    sk_auto_free char *path = NULL;
    sk_auto_buf file = SK_BUF_INIT;
    SK_TRY(sk_path_join(&path, replay->folder, name, err));
    SK_TRY(sk_file_load(&file, path, INPUT_MAX, err));
    size_t len = file.len;
    size_t name_len = strlen(name);
    if (name_len > 4 && strcmp(name + name_len - 4, ".hex") == 0)
        len = decode_hex(file.bytes, file.len);
    run(replay, file.bytes, len);
    size_t room = len + 1024;
    uint8_t *work = malloc(room);
    if (!work)
        return sk_fail_status(err, SK_NOMEM);
    for (unsigned long i = 0; i < replay->rounds; i++) {
        memcpy(work, file.bytes, len);
        size_t changed = mutate(replay, work, len, room);
        run(replay, work, changed);
    }
    free(work);
    replay->files++;
    return SK_OK;
}

int main(int argc, char **argv)
{
    struct sk_error err = SK_ERROR_INIT;
    if (argc != 3 || sk_crypto_init() != SK_OK)
        return 64;
    sk_json_init();
    struct replay replay = {
        .folder = argv[1], .rounds = strtoul(argv[2], NULL, 10), .random = 0x9e3779b97f4a7c15};
    if (sk_forms_init(&err) != SK_OK ||
        sk_dir_each(replay.folder, replay_file, &replay, &err) != SK_OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    sk_forms_clear();
    (void)printf("%lu files, %lu runs\n", replay.files, replay.runs);
    return replay.files ? 0 : 1;
}
