/*
 * Goal of this test: a store opens only with what it was made with, whole and by one program at a
 * time; a wrong passphrase, a changed `keys` or a strange `data` changes nothing; whatever moment a
 * program is killed at, the store opens and holds everything that was acknowledged; and a
 * write-ahead log that the signed head does not vouch for never reaches the database.
 */
#include "core/log.h"
#include "core/slots.h"
#include "core/store_internal.h"
#include "core/verify.h"
#include "crypto/hash.h"
#include "crypto/note.h"
#include "crypto/secret.h"
#include "tests/support/stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define AT_FORMAT 16
#define AT_SUM    1096
#define KILLS     12

static const uint8_t other_text[] = "wrong horse";
static const struct sk_unlock other = {other_text, sizeof(other_text) - 1, NULL};

static struct sk_store_options options_of(const struct sk_test_store *at)
{
    return sk_test_options(at->path, at->kind);
}

static void assert_open_gives(const struct sk_test_store *at, const struct sk_unlock *with,
                              enum sk_status expected)
{
    struct sk_store_options options = options_of(at);
    struct sk_store *store = NULL;
    if (with)
        options.unlock = with;
    EXPECT(expected, sk_store_open(&store, &options, &sk_test_err));
    if (expected != SK_OK)
        assert_null(store);
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

/* What the files of a store are, to be compared later. */
struct copy {
    uint8_t *bytes;
    size_t len;
};

static struct copy copy_of(const struct sk_test_store *at, const char *name)
{
    struct copy copy;
    copy.bytes = sk_test_read(sk_test_path(at, name), &copy.len);
    return copy;
}

static void assert_unchanged(const struct sk_test_store *at, const char *name, struct copy *before)
{
    struct copy now = copy_of(at, name);
    assert_int_equal(now.len, before->len);
    assert_memory_equal(now.bytes, before->bytes, now.len);
    free(now.bytes);
    free(before->bytes);
}

static void save(const struct sk_test_store *at, const char *name, const struct copy *copy)
{
    FILE *file = fopen(sk_test_path(at, name), "wb");
    assert_non_null(file);
    assert_int_equal(fwrite(copy->bytes, 1, copy->len, file), copy->len);
    assert_int_equal(fclose(file), 0);
}

static void test_create_and_open(void **state)
{
    struct sk_test_store *at = *state;
    struct stat st;
    uint8_t signature[SK_SIGNATURE_LEN];
    uint8_t shared[SK_DH_LEN];

    assert_int_equal(sk_store_kind(at->store), SK_STORE_DEVICE);
    assert_string_equal(sk_store_name(at->store), "");
    assert_string_equal(sk_store_dir(at->store), at->path);
    assert_true(sk_store_insecure(at->store));
    assert_true(sk_store_there(at->path));
    assert_false(sk_store_there(at->dir));
    assert_int_equal(stat(at->path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat(sk_test_path(at, "store/keys"), &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    sk_store_sign(at->store, signature, "text", 4);
    assert_int_equal(sk_sign_verify(signature, "text", 4, sk_store_sign_public(at->store)), SK_OK);
    EXPECT_OK(sk_store_dh(at->store, shared, sk_store_dh_public(at->store)));
    sk_progress_tell(NULL, 1, 2);
}

static void test_identity_stays(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t id[SK_HASH_LEN];
    uint8_t log_id[SK_HASH_LEN];
    struct sk_log log;

    memcpy(id, sk_store_id(at->store), sizeof(id));
    sk_log_id(log_id, sk_store_sign_public(at->store), sk_store_dh_public(at->store));
    assert_memory_equal(id, log_id, sizeof(id));
    sk_test_reopen(at);
    assert_memory_equal(id, sk_store_id(at->store), sizeof(id));
    EXPECT_OK(sk_log_get(at->store, SK_LOG_OWN, &log, &sk_test_err));
    assert_memory_equal(log.log_id, id, sizeof(id));
    assert_int_equal(log.state, SK_LOG_STATE_OWN);
    assert_int_equal(log.size, 0);
}

static void test_archive(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_log log;
    uint8_t log_id[SK_HASH_LEN];

    assert_int_equal(sk_store_kind(at->store), SK_STORE_ARCHIVE);
    assert_string_equal(sk_store_name(at->store), "Archive of tests");
    sk_log_id(log_id, sk_store_sign_public(at->store), sk_store_dh_public(at->store));
    assert_memory_not_equal(log_id, sk_store_id(at->store), SK_HASH_LEN);
    EXPECT(SK_MISSING, sk_log_get(at->store, SK_LOG_OWN, &log, &sk_test_err));
    sk_test_close(at);
    at->kind = SK_STORE_DEVICE;
    assert_open_gives(at, NULL, SK_CONFIG);
}

static void test_wrong_kind(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    at->kind = SK_STORE_ARCHIVE;
    assert_open_gives(at, NULL, SK_CONFIG);
}

static void test_wrong_passphrase(void **state)
{
    struct sk_test_store *at = *state;
    static const struct sk_unlock empty = {(const uint8_t *)"", 0, NULL};
    sk_test_close(at);
    struct copy keys = copy_of(at, "store/keys");
    struct copy data = copy_of(at, "store/data");
    assert_open_gives(at, &other, SK_WRONG_KEY);
    assert_open_gives(at, &empty, SK_WRONG_KEY);
    assert_unchanged(at, "store/keys", &keys);
    assert_unchanged(at, "store/data", &data);
    assert_int_equal(sk_test_count_files(at->path), 3);
}

static void test_key_file(void **state)
{
    struct sk_test_store *at = *state;
    uint8_t hash[32];
    struct sk_unlock with = {other_text, sizeof(other_text) - 1, hash};
    sk_key_file_hash(hash, "the key", 7);
    EXPECT_OK(sk_store_change_passphrase(at->store, &with, &sk_test_err));
    sk_test_close(at);
    assert_open_gives(at, &with, SK_OK);
    assert_open_gives(at, &other, SK_WRONG_KEY);
    hash[0] ^= 1;
    assert_open_gives(at, &with, SK_WRONG_KEY);
}

static void test_change_passphrase(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_id id = sk_test_add(at->store, SK_TYPE_EVENT, "Kept");
    EXPECT_OK(sk_store_change_passphrase(at->store, &other, &sk_test_err));
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "After");
    sk_test_close(at);
    assert_int_equal(sk_test_count_files(at->path), 3);
    assert_open_gives(at, NULL, SK_WRONG_KEY);

    struct sk_store_options options = options_of(at);
    options.unlock = &other;
    EXPECT_OK(sk_store_open(&at->store, &options, &sk_test_err));
    sk_auto_item item = sk_test_item(at->store, &id);
    assert_string_equal(item.title, "Kept");
}

static void test_busy(void **state)
{
    struct sk_test_store *at = *state;
    assert_open_gives(at, NULL, SK_BUSY);
    sk_test_close(at);
    assert_open_gives(at, NULL, SK_OK);
}

static void test_missing(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    struct sk_test_store elsewhere = *at;
    elsewhere.path = at->dir;
    assert_open_gives(&elsewhere, NULL, SK_MISSING);
    char nowhere[] = "/nonexistent/store";
    elsewhere.path = nowhere;
    assert_open_gives(&elsewhere, NULL, SK_MISSING);

    assert_int_equal(rmdir(sk_test_path(at, "store/media")), 0);
    assert_open_gives(at, NULL, SK_OK); /* what copies a folder may leave out an empty one */
    assert_int_equal(sk_test_count_files(at->path), 3);
    assert_int_equal(unlink(sk_test_path(at, "store/data")), 0);
    assert_open_gives(at, NULL, SK_MISSING);
    assert_int_equal(unlink(sk_test_path(at, "store/keys")), 0);
    assert_open_gives(at, NULL, SK_MISSING);
}

static void test_create_refused(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store_options options = options_of(at);
    EXPECT(SK_CREATE, sk_store_create(&options, &sk_test_err));
    options.dir = at->dir; /* not empty */
    EXPECT(SK_CREATE, sk_store_create(&options, &sk_test_err));
    sk_test_write(sk_test_path(at, "file"), 3);
    options.dir = sk_test_path(at, "file");
    EXPECT(SK_CREATE, sk_store_create(&options, &sk_test_err));
    options.dir = sk_test_path(at, "no/such/parent");
    EXPECT(SK_CREATE, sk_store_create(&options, &sk_test_err));
    assert_int_equal(sk_test_count_files(at->dir), 2);

    const char *empty = sk_test_path(at, "empty");
    assert_int_equal(mkdir(empty, 0700), 0);
    options.dir = sk_test_path(at, "empty/");
    EXPECT_OK(sk_store_create(&options, &sk_test_err));
    assert_true(sk_store_there(empty));
    assert_int_equal(sk_test_count_files(at->dir), 3);
}

/* A child that creates a store, and how it ended. */
static pid_t create_in_child(const struct sk_store_options *options, rlim_t file_len)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit limit = {file_len, file_len};
        (void)signal(SIGXFSZ, SIG_IGN);
        (void)setrlimit(RLIMIT_FSIZE, &limit);
        _exit((int)sk_store_create(options, NULL));
    }
    assert_true(child > 0);
    return child;
}

static void test_create_interrupted(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_store_options options = options_of(at);
    options.dir = sk_test_path(at, "new");
    unsigned before = sk_test_count_files(at->dir);
    int how = 0;

    /* No space: from nothing at all to nearly enough. */
    for (rlim_t room = 0; room < 40000; room += 5000) {
        assert_true(waitpid(create_in_child(&options, room), &how, 0) > 0);
        assert_true(WIFEXITED(how));
        assert_int_not_equal(WEXITSTATUS(how), SK_OK);
        assert_int_equal(sk_test_count_files(at->dir), before);
    }
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t child = create_in_child(&options, RLIM_INFINITY);
        assert_int_equal(usleep(i * 2000), 0);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, &how, 0), child);
        if (sk_store_there(options.dir))
            break;
    }
    if (!sk_store_there(options.dir))
        EXPECT_OK(sk_store_create(&options, &sk_test_err));
    struct sk_store *store = NULL;
    EXPECT_OK(sk_store_open(&store, &options, &sk_test_err));
    EXPECT_OK(sk_store_close(store, &sk_test_err));
}

/* A link that somebody put there under the name of a leftover: the store it leads to stays. */
static void test_create_beside_a_planted_link(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    const char *link = sk_test_path(at, "fresh.0123456789abcdef.part");
    assert_int_equal(symlink(at->path, link), 0);
    struct sk_store_options options = sk_test_options(sk_test_path(at, "fresh"), SK_STORE_DEVICE);
    EXPECT_OK(sk_store_create(&options, &sk_test_err));
    assert_true(sk_file_exists(link));
    assert_int_equal(sk_test_count_files(at->path), 3);
    sk_test_open(at);
}

static void test_keys_flipped(void **state)
{
    struct sk_test_store *at = *state;
    const char *path = "store/keys";
    sk_test_close(at);
    struct copy keys = copy_of(at, path);
    for (size_t i = 0; i < keys.len; i++) {
        struct sk_store_options options = options_of(at);
        struct sk_store *store = NULL;
        keys.bytes[i] ^= (uint8_t)(1u << i % 8);
        save(at, path, &keys);
        sk_error_clear(&sk_test_err);
        assert_int_equal(sk_store_open(&store, &options, &sk_test_err), SK_DAMAGED);
        assert_null(store);
        assert_string_not_equal(sk_test_err.text, "");
        keys.bytes[i] ^= (uint8_t)(1u << i % 8);
    }
    save(at, path, &keys);
    assert_open_gives(at, NULL, SK_OK);
    free(keys.bytes);
}

static void test_keys_changed(void **state)
{
    struct sk_test_store *at = *state;
    const char *path = "store/keys";
    sk_test_close(at);
    struct copy keys = copy_of(at, path);
    assert_int_equal(keys.len, SK_KEYS_LEN);

    keys.bytes[AT_FORMAT] = 2;
    sk_hash_of(keys.bytes + AT_SUM, NULL, SK_LABEL_KEYS_SUM, keys.bytes, AT_SUM);
    save(at, path, &keys);
    assert_open_gives(at, NULL, SK_CONFIG);

    keys.len--;
    save(at, path, &keys);
    assert_open_gives(at, NULL, SK_DAMAGED);
    keys.len = 0;
    save(at, path, &keys);
    assert_open_gives(at, NULL, SK_DAMAGED);
    free(keys.bytes);
    sk_test_write(sk_test_path(at, path), 2 * SK_KEYS_LEN + 1);
    assert_open_gives(at, NULL, SK_DAMAGED);
}

/* Opened by an older program: nothing changes, and no file that it does not know is swept. */
static void test_newer_schema(void **state)
{
    struct sk_test_store *at = *state;
    EXPECT_OK(sk_db_exec(sk_store_db(at->store), "PRAGMA user_version = 99", &sk_test_err));
    sk_test_close(at);
    sk_test_write(sk_test_path(at, "store/media/0123456789abcdef0123456789abcdef"), 1);
    struct copy keys = copy_of(at, "store/keys");
    struct copy data = copy_of(at, "store/data");
    assert_open_gives(at, NULL, SK_CONFIG);
    assert_unchanged(at, "store/keys", &keys);
    assert_unchanged(at, "store/data", &data);
    assert_int_equal(sk_test_count_files(sk_test_path(at, "store/media")), 1);
    assert_int_equal(sk_test_count_files(at->path), 3);
}

/* A database whose pages are whole, but not its description. */
static void test_damaged_description(void **state)
{
    struct sk_test_store *at = *state;
    static const struct {
        const char *sql, *back;
    } damages[] = {
        {"UPDATE meta SET key = 'x' WHERE key = 'seed'",
         "UPDATE meta SET key = 'seed' WHERE key = 'x'"},
        {"UPDATE meta SET key = 'x' WHERE key = 'kind'",
         "UPDATE meta SET key = 'kind' WHERE key = 'x'"},
        {"UPDATE meta SET value = x'02' WHERE key = 'kind'",
         "UPDATE meta SET value = x'01' WHERE key = 'kind'"},
        {"UPDATE meta SET value = CAST(value || x'00' AS BLOB) WHERE key = 'scalar'",
         "UPDATE meta SET value = substr(value, 1, 32) WHERE key = 'scalar'"},
    };
    struct sk_db_options options = {.path = sk_test_path(at, "store/data")};
    uint8_t key[32], id[16];
    memcpy(key, sk_secret_view(at->store->store_key), sizeof(key));
    memcpy(id, sk_keys_store_id(&at->store->keys), sizeof(id));
    options.store_key = key;
    options.store_id = id;
    sk_test_close(at);
    for (size_t i = 0; i < 2 * sizeof(damages) / sizeof(damages[0]); i++) {
        struct sk_db *db = NULL;
        EXPECT_OK(sk_db_open(&db, &options, &sk_test_err));
        EXPECT_OK(sk_db_trust(db, &sk_test_err));
        EXPECT_OK(sk_db_exec(db, i % 2 ? damages[i / 2].back : damages[i / 2].sql, &sk_test_err));
        EXPECT_OK(sk_db_close(db, &sk_test_err));
        assert_open_gives(at, NULL, i % 2 ? SK_OK : SK_DAMAGED);
    }
}

static void test_data_of_another_store(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    const char *path = sk_test_path(at, "second");
    struct sk_store *second = sk_test_make(path, SK_STORE_DEVICE);
    EXPECT_OK(sk_store_close(second, &sk_test_err));
    struct copy theirs = copy_of(at, "second/data");
    save(at, "store/data", &theirs);
    assert_open_gives(at, NULL, SK_DAMAGED);
    assert_unchanged(at, "store/data", &theirs);

    sk_test_write(sk_test_path(at, "store/data"), 40960);
    assert_open_gives(at, NULL, SK_DAMAGED);
    assert_int_equal(truncate(sk_test_path(at, "store/data"), 0), 0);
    assert_open_gives(at, NULL, SK_DAMAGED);
}

static void test_no_secret_is_left(void **state)
{
    struct sk_test_store *at = *state;
    assert_int_not_equal(sk_secret_live_count(), 0);
    sk_test_close(at);
    assert_int_equal(sk_secret_live_count(), 0);
    assert_open_gives(at, &other, SK_WRONG_KEY);
    assert_int_equal(sk_secret_live_count(), 0);
    EXPECT_OK(sk_store_close(NULL, &sk_test_err));
}

static void test_rollback(void **state)
{
    struct sk_test_store *at = *state;
    struct sk_log log;
    sk_auto_json fields = sk_test_fields("Never");
    for (int closing = 0; closing < 2; closing++) {
        struct sk_store *txn = NULL;
        struct sk_id id;
        EXPECT_OK(sk_store_begin(&txn, at->store, &sk_test_err));
        EXPECT_OK(sk_record_add(at->store, SK_TYPE_EVENT, fields, &id, &sk_test_err));
        EXPECT_OK(sk_log_get(at->store, SK_LOG_OWN, &log, &sk_test_err));
        assert_int_equal(log.size, 1);
        if (closing)
            sk_test_reopen(at);
        else
            sk_store_rollback(txn);
        EXPECT_OK(sk_log_get(at->store, SK_LOG_OWN, &log, &sk_test_err));
        assert_int_equal(log.size, 0);
        assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), 0);
    }
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "Once");
    EXPECT_OK(sk_log_get(at->store, SK_LOG_OWN, &log, &sk_test_err));
    assert_int_equal(log.size, 1);
    EXPECT_OK(sk_log_verify(at->store, &log, NULL, &sk_test_err));
}

static void no_problem(void *context, const char *sentence)
{
    (void)context;
    print_error("%s\n", sentence);
    fail();
}

/* Adds records until it is killed, and says each id once it was committed. */
static void add_for_ever(const struct sk_test_store *at, int to)
{
    struct sk_store_options options = options_of(at);
    struct sk_store *store = NULL;
    if (sk_store_open(&store, &options, NULL) != SK_OK)
        _exit(1);
    for (;;) {
        struct sk_store *txn = NULL;
        struct sk_id id;
        json_t *fields = json_pack("{s:s}", "title", "Acknowledged");
        if (sk_store_begin(&txn, store, NULL) != SK_OK ||
            sk_record_add(store, SK_TYPE_EVENT, fields, &id, NULL) != SK_OK ||
            sk_store_commit(&txn, NULL) != SK_OK || write(to, &id, sizeof(id)) != sizeof(id))
            _exit(1);
        json_decref(fields);
    }
}

static void assert_acknowledged(struct sk_test_store *at, int from)
{
    struct sk_id id;
    sk_test_open(at);
    while (read(from, &id, sizeof(id)) == (ssize_t)sizeof(id)) {
        sk_auto_item item = sk_test_item(at->store, &id);
        assert_string_equal(item.title, "Acknowledged");
    }
    EXPECT_OK(sk_verify(at->store, no_problem, NULL, NULL, &sk_test_err));
    sk_test_close(at);
}

static void test_killed(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    for (unsigned i = 0; i < KILLS; i++) {
        int pipes[2];
        struct sk_id first;
        assert_int_equal(pipe(pipes), 0);
        pid_t child = fork();
        if (child == 0)
            add_for_ever(at, pipes[1]);
        assert_true(child > 0);
        assert_int_equal(close(pipes[1]), 0);
        assert_int_equal(read(pipes[0], &first, sizeof(first)), sizeof(first));
        assert_int_equal(usleep(i * 1500), 0);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        assert_acknowledged(at, pipes[0]);
        assert_int_equal(close(pipes[0]), 0);
    }
}

static void change_for_ever(const struct sk_test_store *at)
{
    struct sk_store_options options = options_of(at);
    struct sk_store *store = NULL;
    const struct sk_unlock *own = options.unlock;
    enum sk_status status = sk_store_open(&store, &options, NULL);
    if (status == SK_WRONG_KEY) {
        options.unlock = &other;
        status = sk_store_open(&store, &options, NULL);
    }
    while (status == SK_OK) {
        status = sk_store_change_passphrase(store, own, NULL);
        if (status == SK_OK)
            status = sk_store_change_passphrase(store, &other, NULL);
    }
    _exit(1);
}

static void test_killed_changing_passphrase(void **state)
{
    struct sk_test_store *at = *state;
    sk_test_close(at);
    for (unsigned i = 0; i < KILLS; i++) {
        pid_t child = fork();
        if (child == 0)
            change_for_ever(at);
        assert_true(child > 0);
        assert_int_equal(usleep(5000 + i * 1700), 0);
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);

        struct sk_store_options options = options_of(at);
        enum sk_status status = sk_store_open(&at->store, &options, NULL);
        if (status == SK_WRONG_KEY) {
            options.unlock = &other;
            status = sk_store_open(&at->store, &options, NULL);
        }
        assert_int_equal(status, SK_OK);
        sk_test_close(at);
    }
}

/* What a child does to an open store, behind the program's back, before it dies. */
static void crash_after(const struct sk_test_store *at, const char *sql)
{
    pid_t child = fork();
    if (child == 0) {
        struct sk_store_options options = options_of(at);
        struct sk_store *store = NULL;
        if (sk_store_open(&store, &options, NULL) != SK_OK)
            _exit(1);
        (void)sk_test_add(store, SK_TYPE_EVENT, "In the write-ahead log");
        if (sql)
            sk_test_sql(store, sql);
        _exit(0);
    }
    int how = 0;
    assert_int_equal(waitpid(child, &how, 0), child);
    assert_true(WIFEXITED(how) && WEXITSTATUS(how) == 0);
}

static void test_recovery(void **state)
{
    struct sk_test_store *at = *state;
    (void)sk_test_add(at->store, SK_TYPE_EVENT, "In the database");
    sk_test_close(at);
    crash_after(at, NULL);
    assert_int_equal(sk_test_count_files(at->path), 4);
    sk_test_open(at);
    assert_int_equal(sk_test_sql_int(at->store, "SELECT count(*) FROM item"), 2);
    sk_test_close(at);
}

static void assert_recovery_refused(struct sk_test_store *at, const char *sql)
{
    sk_test_close(at);
    crash_after(at, sql);
    struct copy data = copy_of(at, "store/data");
    struct copy wal = copy_of(at, "store/data-wal");
    assert_int_not_equal(wal.len, 0);
    assert_open_gives(at, NULL, SK_DAMAGED);
    assert_open_gives(at, NULL, SK_DAMAGED);
    assert_unchanged(at, "store/data", &data);
    assert_unchanged(at, "store/data-wal", &wal);
}

static void test_recovery_refused(void **state)
{
    (void)sk_test_add(((struct sk_test_store *)*state)->store, SK_TYPE_EVENT, "First");
    assert_recovery_refused(*state, "UPDATE entry SET bytes = zeroblob(96) "
                                    "WHERE id = (SELECT max(id) FROM entry)");
}

static void test_recovery_of_a_lost_entry_refused(void **state)
{
    (void)sk_test_add(((struct sk_test_store *)*state)->store, SK_TYPE_EVENT, "First");
    assert_recovery_refused(*state, "DELETE FROM entry WHERE id = (SELECT min(id) FROM entry)");
}

static void test_recovery_without_a_note_refused(void **state)
{
    assert_recovery_refused(*state, "UPDATE log SET note = ''");
}

#define TEST(name)    cmocka_unit_test_setup_teardown(name, sk_test_device, sk_test_remove)
#define ARCHIVE(name) cmocka_unit_test_setup_teardown(name, sk_test_archive, sk_test_remove)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_create_and_open),
        TEST(test_identity_stays),
        ARCHIVE(test_archive),
        TEST(test_wrong_kind),
        TEST(test_wrong_passphrase),
        TEST(test_key_file),
        TEST(test_change_passphrase),
        TEST(test_busy),
        TEST(test_missing),
        TEST(test_create_refused),
        TEST(test_create_interrupted),
        TEST(test_create_beside_a_planted_link),
        TEST(test_keys_flipped),
        TEST(test_keys_changed),
        TEST(test_newer_schema),
        TEST(test_damaged_description),
        TEST(test_data_of_another_store),
        TEST(test_no_secret_is_left),
        TEST(test_rollback),
        TEST(test_killed),
        TEST(test_killed_changing_passphrase),
        TEST(test_recovery),
        TEST(test_recovery_refused),
        TEST(test_recovery_of_a_lost_entry_refused),
        TEST(test_recovery_without_a_note_refused),
    };
    return cmocka_run_group_tests(tests, sk_test_begin, sk_test_end);
}
