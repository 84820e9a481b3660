/*
 * Goal of this test: file(1) calls what begins like a bundle or an invite "data". It is asked about
 * pairs of first bytes that a writer may draw, before the same noise: one in eight of them, and in
 * the long run all.
 */
#include "crypto/bytes.h"
#include "sync/looks.h"
#include "tests/support/effort.h"
#include "tests/support/temp_dir.h"
#include "tests/support/volume.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define FILE_LEN 1024

extern char **environ;

static char *dir;

static int setup(void **state)
{
    dir = sk_temp_dir_make();
    return sk_volume_setup(state);
}

static int teardown(void **state)
{
    sk_temp_dir_remove(dir);
    return sk_volume_teardown(state);
}

/* The same on every run. */
static void make_noise(uint8_t out[static FILE_LEN])
{
    uint64_t state = 1;
    for (size_t i = 0; i < FILE_LEN; i++) {
        state = state * 6364136223846793005u + 1442695040888963407u;
        out[i] = (uint8_t)(state >> 56);
    }
}

/* What file(1) says, a line for each path, in new memory; paths end with NULL. */
static char *ask(char **paths, size_t count)
{
    char **args = calloc(count + 3, sizeof(*args));
    char *said = sk_temp_path(dir, "said");
    posix_spawn_file_actions_t actions;
    size_t len;
    int ended;
    pid_t pid;

    assert_non_null(args);
    args[0] = strdup("file");
    args[1] = strdup("-b");
    memcpy(args + 2, paths, count * sizeof(*paths));
    assert_int_equal(posix_spawn_file_actions_init(&actions), 0);
    assert_int_equal(posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, said,
                                                      O_WRONLY | O_CREAT | O_TRUNC, 0600),
                     0);
    assert_int_equal(posix_spawnp(&pid, "file", &actions, NULL, args, environ), 0);
    assert_int_equal(waitpid(pid, &ended, 0), pid);
    assert_int_equal(ended, 0);
    posix_spawn_file_actions_destroy(&actions);
    uint8_t *read = sk_temp_read(said, &len);
    assert_non_null(read);
    char *out = realloc(read, len + 1);
    assert_non_null(out);
    out[len] = '\0';
    free(args[0]);
    free(args[1]);
    free(args);
    free(said);
    return out;
}

static unsigned step(void)
{
    return sk_test_effort(8, 8, 1);
}

/* How many of the files that begin with `first` and a second byte a writer may draw are named. */
static size_t named(uint8_t first, size_t *asked)
{
    uint8_t bytes[FILE_LEN];
    char *paths[257] = {NULL};
    size_t count = 0;
    size_t found = 0;

    make_noise(bytes);
    bytes[0] = first;
    for (unsigned second = first % step(); second < 256; second += step()) {
        char name[3];
        bytes[1] = (uint8_t)second;
        if (sk_looks_known(bytes))
            continue;
        (void)snprintf(name, sizeof(name), "%02x", second);
        paths[count] = sk_temp_path(dir, name);
        sk_temp_write(paths[count++], bytes, FILE_LEN);
    }
    *asked += count;
    if (count == 0)
        return 0;
    char *said = ask(paths, count);
    const char *line = said;
    for (size_t i = 0; i < count; i++, line = strchr(line, '\n') + 1) {
        if (strncmp(line, "data\n", 5) != 0) {
            print_message("%02x %s: %.*s\n", first, paths[i] + strlen(paths[i]) - 2,
                          (int)strcspn(line, "\n"), line);
            found++;
        }
    }
    for (size_t i = 0; i < count; i++)
        free(paths[i]);
    free(said);
    return found;
}

static void what_may_be_drawn_is_data(void **state)
{
    (void)state;
    size_t asked = 0;
    size_t found = 0;
    for (unsigned first = 0; first < 256; first++)
        found += named((uint8_t)first, &asked);
    print_message("%zu of %zu beginnings have a name\n", found, asked);
    assert_in_range(asked * step(), 60000, 65536); /* and not much is left out */
    /* Noise may look like something further on, and another file(1) may know another format. */
    assert_true(found * 2000 <= asked);
}

static void headers_and_random_bytes_begin_so(void **state)
{
    (void)state;
    static uint8_t header[SK_VOLUME_HEADER_LEN];
    uint8_t random[16];
    size_t seen[256] = {0};
    size_t least = 512;
    for (size_t i = 0; i < 512; i++) {
        sk_test_header(header, &sk_alice.recipient, 1);
        assert_false(sk_looks_known(header));
    }
    for (size_t i = 0; i < 100000; i++) {
        sk_looks_random(random, sizeof(random));
        assert_false(sk_looks_known(random));
        seen[random[0]]++;
    }
    /* Every other first byte comes as often as the rest: 418 expected, deviation 20. */
    for (unsigned first = 0; first < 256; first++) {
        if (seen[first] > 0 && seen[first] < least)
            least = seen[first];
        assert_true(seen[first] < 620);
    }
    assert_true(least > 250);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_may_be_drawn_is_data),
        cmocka_unit_test(headers_and_random_bytes_begin_so),
    };
    return cmocka_run_group_tests_name("looks", tests, setup, teardown);
}
