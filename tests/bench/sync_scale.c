/*
 * An archive of many devices: how fast it imports at the start and at the end, how long it looks at
 * what is for nobody here, and what memory it takes.
 *
 *     bench_sync_scale DIR [DEVICES [BUNDLES [RECORDS [BYTES]]]]
 *
 * Each of DEVICES (100) devices records RECORDS (100) testimonies of BYTES (300) bytes, exports
 * them, and does that BUNDLES (10) times; its store is removed then. All bundles are imported, the
 * first ones of all devices before the second ones, each round in another order, by a worker as the
 * receiver does. DIR must not be there yet; its bundles take 256 KiB each at least. The stores use
 * the test KDF, and the invites are not sealed, since both take time and memory on purpose.
 */
#include "core/form.h"
#include "core/json.h"
#include "core/record.h"
#include "crypto/secret.h"
#include "sync/export.h"
#include "sync/import.h"
#include "sync/invite_parts.h"
#include "sync/looks.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>

#define PATH_LEN  4096
#define TEXT_MOST 65536u
#define PARTS     10u

static struct sk_error err;
static const char *top;
static unsigned devices = 100;
static unsigned bundles = 10;
static unsigned records = 100;
static unsigned text_len = 300;

_Noreturn static void fail(const char *what)
{
    (void)fprintf(stderr, "%s: %s\n", what, err.text);
    exit(1);
}

static void must(enum sk_status status, const char *what)
{
    if (status != SK_OK)
        fail(what);
}

/* ---- time ---- */

struct moment {
    double wall, cpu; /* seconds; cpu: of this process and the workers that have ended */
};

static double seconds_of(struct timeval t)
{
    return (double)t.tv_sec + (double)t.tv_usec / 1e6;
}

static struct moment now(void)
{
    struct timespec t;
    struct moment moment = {0, 0};
    (void)clock_gettime(CLOCK_MONOTONIC, &t);
    moment.wall = (double)t.tv_sec + (double)t.tv_nsec / 1e9;
    for (int who = RUSAGE_CHILDREN; who <= RUSAGE_SELF; who++) {
        struct rusage usage;
        (void)getrusage(who, &usage);
        moment.cpu += seconds_of(usage.ru_utime) + seconds_of(usage.ru_stime);
    }
    return moment;
}

static long memory_mib(void)
{
    struct rusage usage;
    (void)getrusage(RUSAGE_SELF, &usage);
    return usage.ru_maxrss / 1024;
}

/* ---- content ---- */

static uint64_t chance = 1;

static unsigned below(unsigned count)
{
    chance = chance * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)((chance >> 33) % count);
}

/* Invented words; the second of two is in Cyrillic. */
static void write_text(char out[static TEXT_MOST])
{
    static const char *const syllables[2][8] = {{"ba", "de", "fi", "go", "ku", "la", "mi", "no"},
                                                {"ба", "дзе", "фі", "го", "ку", "ла", "мі", "но"}};
    size_t at = 0;
    for (unsigned word = 0; at + 32 < text_len; word++) {
        for (unsigned count = 2 + below(3); count > 0; count--) {
            const char *syllable = syllables[word % 2][below(8)];
            memcpy(out + at, syllable, strlen(syllable));
            at += strlen(syllable);
        }
        out[at++] = ' ';
    }
    out[at] = '\0';
}

/* ---- stores ---- */

static void path_of(char out[static PATH_LEN], const char *what, unsigned a, unsigned b)
{
    (void)snprintf(out, PATH_LEN, "%s/%s-%u-%u", top, what, a, b);
}

static struct sk_store *make_store(const char *path, enum sk_store_kind kind)
{
    static const char passphrase[] = "a passphrase for tests";
    const struct sk_unlock unlock = {.passphrase = (const uint8_t *)passphrase,
                                     .passphrase_len = sizeof(passphrase) - 1};
    const struct sk_store_options options = {
        .dir = path, .kind = kind, .unlock = &unlock, .name = "A", .insecure_kdf = true};
    struct sk_store *store = NULL;
    must(sk_store_create(&options, &err), "a new store");
    must(sk_store_open(&store, &options, &err), "a store");
    return store;
}

static void add_records(struct sk_store *store)
{
    static char text[TEXT_MOST];
    sk_auto_store_txn txn = NULL;
    must(sk_store_begin(&txn, store, &err), "begin");
    for (unsigned i = 0; i < records; i++) {
        struct sk_id id;
        write_text(text);
        json_t *fields = json_pack("{s:s, s:s}", "title", "A testimony", "text", text);
        must(sk_record_add(store, SK_TYPE_TESTIMONY, fields, &id, &err), "add");
        json_decref(fields);
    }
    must(sk_store_commit(&txn, &err), "commit");
}

/* A device's whole life: what is left of it are its bundles. */
static void live(struct sk_store *archive, unsigned device)
{
    char path[PATH_LEN];
    char alias[32];
    struct sk_invite invite = {.alias = ""};
    int64_t peer = 0;
    (void)snprintf(alias, sizeof(alias), "device %u", device);
    sk_invite_fill(&invite, archive, alias);
    must(sk_invite_add_device(archive, &invite, &peer, &err), "an invite");
    path_of(path, "store", device, 0);
    struct sk_store *store = make_store(path, SK_STORE_DEVICE);
    must(sk_invite_add_archive(store, &invite, &err), "taking the invite");
    for (unsigned i = 0; i < bundles; i++) {
        char file[PATH_LEN];
        struct sk_export_result sent;
        path_of(file, "bundle", i, device);
        add_records(store);
        must(sk_export(store, file, SK_EXPORT_NEW, NULL, &sent, &err), "export");
    }
    must(sk_store_close(store, &err), "closing a device");
    sk_dir_discard(path);
}

/* ---- what is measured ---- */

/* A file of the right length that is for nobody here. */
static void refuse(struct sk_store *archive, unsigned known, const char *words)
{
    static uint8_t bytes[SK_VOLUME_HEADER_LEN * 4];
    char path[PATH_LEN];
    struct sk_import_result result;
    path_of(path, "foreign", known, 0);
    sk_random(bytes, sizeof(bytes));
    must(sk_file_save(path, bytes, sizeof(bytes), true, &err), "a foreign file");
    struct moment begin = now();
    if (sk_import(archive, path, NULL, NULL, &result, &err) != SK_REFUSED)
        fail("a foreign file was not refused");
    struct moment end = now();
    sk_error_clear(&err);
    (void)printf("| refusing what is for nobody, %u devices%s | %.3f | %.3f |\n", known, words,
                 end.wall - begin.wall, end.cpu - begin.cpu);
    (void)fflush(stdout);
    must(sk_file_remove(path, &err), "removing it");
}

static void import_one(struct sk_store *archive, unsigned round, unsigned device, bool known)
{
    const struct sk_worker worker = SK_WORKER_INIT;
    char path[PATH_LEN];
    struct sk_import_result result;
    path_of(path, "bundle", round, device);
    must(sk_import(archive, path, &worker, NULL, &result, &err), "import");
    if (result.known_file != known || (!known && result.entries_new != records))
        fail("a bundle was not taken as it should be");
    sk_import_result_clear(&result);
}

static void shuffle(unsigned *order)
{
    for (unsigned i = 0; i < devices; i++)
        order[i] = i;
    for (unsigned i = devices - 1; i > 0; i--) {
        unsigned j = below(i + 1);
        unsigned other = order[i];
        order[i] = order[j];
        order[j] = other;
    }
}

static void import_all(struct sk_store *archive)
{
    unsigned *order = calloc(devices, sizeof(*order));
    unsigned done = 0;
    unsigned part = 0;
    struct moment begin = now();
    if (!order)
        fail("no memory");
    (void)printf("\n| bundles | entries/s | CPU ms a bundle | MiB |\n|---|---|---|---|\n");
    for (unsigned round = 0; round < bundles; round++) {
        shuffle(order);
        for (unsigned i = 0; i < devices; i++) {
            import_one(archive, round, order[i], false);
            part++;
            if (++done % (devices * bundles / PARTS) != 0)
                continue;
            struct moment end = now();
            (void)printf("| %u | %.0f | %.2f | %ld |\n", done,
                         part * (double)records / (end.wall - begin.wall),
                         (end.cpu - begin.cpu) * 1000 / part, memory_mib());
            (void)fflush(stdout);
            part = 0;
            begin = now();
        }
    }
    free(order);
}

static void import_known(struct sk_store *archive)
{
    struct moment begin = now();
    for (unsigned device = 0; device < devices; device++)
        import_one(archive, device % bundles, device, true);
    struct moment end = now();
    (void)printf("| a bundle that is here already, mean of %u | %.4f | %.4f |\n", devices,
                 (end.wall - begin.wall) / devices, (end.cpu - begin.cpu) / devices);
}

static void run(void)
{
    char path[PATH_LEN];
    path_of(path, "archive", 0, 0);
    struct sk_store *archive = make_store(path, SK_STORE_ARCHIVE);
    struct moment begin = now();
    (void)printf("| what | seconds | CPU |\n|---|---|---|\n");
    for (unsigned i = 0, next = 1; i < devices; i++) {
        live(archive, i);
        if (i + 1 != next && i + 1 != devices)
            continue;
        refuse(archive, i + 1, ", nothing imported");
        next *= 10;
    }
    struct moment end = now();
    (void)printf("| %u devices make %u bundles of %u records each | %.0f | %.0f |\n", devices,
                 bundles, records, end.wall - begin.wall, end.cpu - begin.cpu);
    import_all(archive);
    (void)printf("\n| what | seconds | CPU |\n|---|---|---|\n");
    import_known(archive);
    refuse(archive, devices, ", all imported");
    begin = now();
    must(sk_store_close(archive, &err), "closing the archive");
    end = now();
    (void)printf("| closing | %.3f | %.3f |\n", end.wall - begin.wall, end.cpu - begin.cpu);
    struct stat found;
    (void)snprintf(path, sizeof(path), "%s/archive-0-0/data", top);
    if (stat(path, &found) == 0)
        (void)printf("\nthe archive: %.1f MB\n", (double)found.st_size / 1e6);
}

static unsigned number(int argc, char **argv, int at, unsigned otherwise, unsigned most)
{
    unsigned long value = argc > at ? strtoul(argv[at], NULL, 10) : otherwise;
    if (value < 1 || value > most) {
        (void)fprintf(stderr,
                      "usage: bench_sync_scale DIR [DEVICES [BUNDLES [RECORDS [BYTES]]]]\n");
        exit(64);
    }
    return (unsigned)value;
}

int main(int argc, char **argv)
{
    if (sk_worker_called(argc, argv))
        return sk_worker_main();
    devices = number(argc, argv, 2, devices, 100000);
    bundles = number(argc, argv, 3, bundles, 1000);
    records = number(argc, argv, 4, records, 10000);
    text_len = number(argc, argv, 5, text_len, TEXT_MOST - 1);
    if (argc < 2 || devices * bundles < PARTS)
        (void)number(1, argv, 1, 0, 1);
    top = argv[1];
    must(sk_crypto_init(), "libsodium");
    sk_json_init();
    must(sk_forms_init(&err), "forms");
    must(sk_dir_create(top, &err), "the folder");
    run();
    return 0;
}
