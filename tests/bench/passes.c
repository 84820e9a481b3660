/*
 * What the passes over an attachment cost that the formats prescribe, in CPU seconds a GiB, each by
 * itself in one thread and in memory. Their sum is what no program can do without that uses this
 * libsodium, however many threads it has: the budgets of tests/bench/sync.py stand beside it.
 *
 *     bench_passes [MIB]
 *
 * MIB (1,024) is what is worked on. Reading, writing and copying come on top.
 */
#include "core/entry.h"
#include "core/error.h"
#include "crypto/aead.h"
#include "crypto/hash.h"
#include "crypto/secret.h"

#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define CHUNK_PLAIN_LEN \
    65520u /* of a bundle and of a media file (sync/FORMAT.md, core/FORMAT.md) */
#define CHUNK_LEN (CHUNK_PLAIN_LEN + SK_AEAD_TAG_LEN)
#define MIB       (1024.0 * 1024.0)

static uint8_t plain[SK_BLOCK_LEN];
static uint8_t sealed[CHUNK_LEN];
static const uint8_t key[SK_AEAD_KEY_LEN] = {1, 2, 3};
static struct sk_hash file_hash;
static crypto_hash_sha256_state sha256;

/* ---- one piece of each pass ---- */

static void must(bool right)
{
    if (!right)
        abort();
}

static void seal(void)
{
    sk_chunk_seal(sealed, plain, CHUNK_PLAIN_LEN, 7, 0, key);
}

static void open_(void)
{
    must(sk_chunk_open(plain, sealed, CHUNK_PLAIN_LEN, 7, 0, key) == SK_OK);
}

static void check(void)
{
    must(sk_chunk_check(sealed, CHUNK_PLAIN_LEN, 7, 0, key) == SK_OK);
}

static void hash_file(void)
{
    sk_hash_add(&file_hash, sealed, sizeof(sealed));
}

static void hash_block(void)
{
    static const uint8_t salt[SK_SALT_LEN] = {4};
    uint8_t hash[SK_HASH_LEN];
    sk_block_hash(hash, salt, 0, plain, sizeof(plain));
}

static void digest(void)
{
    must(crypto_hash_sha256_update(&sha256, plain, CHUNK_PLAIN_LEN) == 0);
}

/* ---- what the formats ask for ---- */

/* The order matters for the first three: what is opened was sealed. */
static const struct pass {
    const char *what;
    void (*piece)(void);
    size_t piece_len;
    int out, in; /* how often an export and an import need it */
} passes[] = {
    {"XChaCha20-Poly1305, sealing", seal, CHUNK_PLAIN_LEN, 1, 1},
    {"XChaCha20-Poly1305, opening", open_, CHUNK_PLAIN_LEN, 1, 1},
    {"its tag alone (reading back)", check, CHUNK_PLAIN_LEN, 1, 0},
    {"BLAKE2b of the file", hash_file, CHUNK_LEN, 1, 1},
    {"BLAKE2b of the blocks", hash_block, SK_BLOCK_LEN, 0, 1},
    {"SHA-256 of the attachment", digest, CHUNK_PLAIN_LEN, 0, 1},
};
#define PASSES (sizeof(passes) / sizeof(passes[0]))

static double cpu_now(void)
{
    struct timespec t;
    must(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t) == 0);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* CPU seconds a GiB. */
static double measure(const struct pass *pass, double mib)
{
    double begin = cpu_now();
    double done = 0;
    while (done < mib * MIB) {
        pass->piece();
        done += (double)pass->piece_len;
    }
    return (cpu_now() - begin) * 1024.0 * MIB / done;
}

int main(int argc, char **argv)
{
    double mib = argc > 1 ? strtod(argv[1], NULL) : 1024;
    double out = 0;
    double in = 0;
    if (sk_crypto_init() != SK_OK || mib < 1)
        return 1;
    sk_hash_init(&file_hash, NULL, SK_LABEL_FILE);
    must(crypto_hash_sha256_init(&sha256) == 0);
    (void)printf("| pass | CPU s a GiB | out | in |\n|---|---|---|---|\n");
    for (size_t i = 0; i < PASSES; i++) {
        double seconds = measure(&passes[i], mib);
        out += seconds * passes[i].out;
        in += seconds * passes[i].in;
        (void)printf("| %s | %.2f | %s | %s |\n", passes[i].what, seconds, passes[i].out ? "x" : "",
                     passes[i].in ? "x" : "");
    }
    (void)printf("| all | | %.2f | %.2f |\n", out, in);
    return 0;
}
