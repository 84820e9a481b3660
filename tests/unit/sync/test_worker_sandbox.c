/*
 * Goal of this test: behind the sandbox every system call but the few that a worker needs kills the
 * process, by the system's own numbers and by those of other interfaces; and Landlock alone keeps
 * files shut, where there is one.
 */
#include "crypto/secret.h"
#include "sync/worker_sandbox.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define NUMBERS  600 /* more than there are */
#define PROBES   335 /* uretprobe, and uprobe behind it */
#define SURVIVED 42
#define UNFIT    43

/* In a process of its own behind the sandbox; how it ended, as waitpid() tells. */
static int confined(void (*run)(long), long argument)
{
    pid_t pid = fork();
    int how = 0;
    assert_true(pid >= 0);
    if (pid == 0) {
        uint8_t landlock = 0;
        const char *step = "";
        if (sk_sandbox_enter(&landlock, &step) != 0)
            _exit(UNFIT);
        run(argument);
        _exit(SURVIVED);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    return how;
}

static void expect_killed(void (*run)(long), long argument)
{
    int how = confined(run, argument);
    if (!WIFSIGNALED(how) || WTERMSIG(how) != SIGSYS)
        fail_msg("%ld: ended with %s %d", argument, WIFSIGNALED(how) ? "signal" : "code",
                 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

static void expect_survived(void (*run)(long), long argument)
{
    int how = confined(run, argument);
    if (!WIFEXITED(how) || WEXITSTATUS(how) != SURVIVED)
        fail_msg("%ld: ended with %s %d", argument, WIFSIGNALED(how) ? "signal" : "code",
                 WIFSIGNALED(how) ? WTERMSIG(how) : WEXITSTATUS(how));
}

/* Descriptors that are not the worker's, addresses that are nobody's. */
static void by_number(long number)
{
    (void)syscall(number, 77L, 0L, 0L, 0L, 0L, 0L);
}

/* Those that by_number() may make, and the one that it ends by. */
static int allowed(long number)
{
    static const long plain[] = {SYS_brk,   SYS_munmap,  SYS_madvise,    SYS_mremap,
                                 SYS_mlock, SYS_munlock, SYS_exit_group, SYS_mprotect};
#if defined(__x86_64__)
    /* New kernels let these pass every filter; they do nothing where nobody probes the process. */
    if (number == PROBES || number == PROBES + 1)
        return 1;
#endif
    for (size_t i = 0; i < sizeof(plain) / sizeof(plain[0]); i++)
        if (plain[i] == number)
            return 1;
#if defined(__SANITIZE_ADDRESS__)
    static const long sanitizer[] = {SYS_sigaltstack, SYS_rt_sigprocmask, SYS_gettid,
                                     SYS_getpid,      SYS_futex,          SYS_sched_yield};
    for (size_t i = 0; i < sizeof(sanitizer) / sizeof(sanitizer[0]); i++)
        if (sanitizer[i] == number)
            return 1;
#endif
    return 0;
}

static void test_numbers(void **state)
{
    (void)state;
    for (long number = 0; number < NUMBERS; number++)
        if (!allowed(number))
            expect_killed(by_number, number);
}

/* ---- what those that are allowed may be used for ---- */

static void read_from(long fd)
{
    uint8_t byte;
    (void)syscall(SYS_read, fd, &byte, 0);
}

static void write_to(long fd)
{
    (void)syscall(SYS_write, fd, "", 0);
}

static void pread_from(long fd)
{
    uint8_t byte;
    (void)syscall(SYS_pread64, fd, &byte, 0, 0);
}

static void test_descriptors(void **state)
{
    (void)state;
    expect_survived(read_from, 0);
    expect_killed(read_from, 1);
    expect_killed(read_from, 2);
    expect_survived(write_to, 0);
    expect_killed(write_to, 1);
    expect_survived(pread_from, 1);
    expect_killed(pread_from, 0);
    expect_killed(pread_from, 3);
    expect_killed(write_to, 2);
}

static void map_as(long protection)
{
    if (syscall(SYS_mmap, NULL, 4096L, protection, MAP_PRIVATE | MAP_ANONYMOUS, -1L, 0L) == -1)
        _exit(1);
}

static void map_file(long fd)
{
    (void)syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE, fd, 0L);
}

/* Anonymous by its flag, with a descriptor all the same. */
static void map_odd(long fd)
{
    (void)syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, fd, 0L);
}

static void protect_as(long protection)
{
    (void)syscall(SYS_mprotect, NULL, 0L, protection);
}

static void use_memory(long mib)
{
    for (long i = 0; i < mib; i++) {
        uint8_t *block = malloc(1024 * 1024);
        if (!block)
            _exit(1);
        block[i] = 1;
        if (i % 2)
            free(block);
    }
    struct sk_secret *secret = NULL;
    if (sk_secret_new(&secret, 32) != SK_OK)
        _exit(1);
    sk_secret_free(secret);
}

static void test_memory(void **state)
{
    (void)state;
    expect_survived(use_memory, 16);
    expect_survived(map_as, PROT_READ | PROT_WRITE);
    expect_killed(map_as, PROT_READ | PROT_EXEC);
    expect_killed(map_as, PROT_EXEC);
    expect_killed(map_file, 1);
    expect_killed(map_odd, 1);
    expect_survived(protect_as, PROT_NONE);
    expect_killed(protect_as, PROT_READ | PROT_EXEC);
}

/* ---- other interfaces of the same kernel ---- */

#if defined(__x86_64__)
static void by_x32(long number)
{
    (void)syscall(0x40000000L | number, 0L, 0L, 0L);
}

/* As 32-bit programs do it: 20 is getpid there, 4 is write. */
static void by_interrupt(long number)
{
    long result = number;
    __asm__ volatile("int $0x80" : "+a"(result) : "b"(0L), "c"(0L), "d"(0L) : "memory");
}

static void test_interfaces(void **state)
{
    (void)state;
    expect_killed(by_x32, SYS_read);
    expect_killed(by_x32, SYS_write);
    expect_killed(by_x32, SYS_getpid);
    expect_killed(by_interrupt, 20);
    expect_killed(by_interrupt, 4);
}
#endif

/* ---- Landlock by itself ---- */

static void test_landlock(void **state)
{
    (void)state;
    pid_t pid = fork();
    int how = 0;
    assert_true(pid >= 0);
    if (pid == 0) {
        uint8_t version = 0;
        const char *step = "";
        if (sk_sandbox_limits(&step) != 0 || sk_sandbox_landlock(&version, &step) != 0)
            _exit(UNFIT);
        if (version == 0)
            _exit(0);
        _exit(open("/etc/passwd", O_RDONLY) == -1 && errno == EACCES &&
                      open("/tmp", O_RDONLY | O_DIRECTORY) == -1 && errno == EACCES
                  ? SURVIVED
                  : 1);
    }
    assert_int_equal(waitpid(pid, &how, 0), pid);
    assert_true(WIFEXITED(how));
    if (WEXITSTATUS(how) == 0)
        print_message("this kernel has no Landlock: the filter stands alone\n");
    else
        assert_int_equal(WEXITSTATUS(how), SURVIVED);
}

static int begin(void **state)
{
    (void)state;
    return sk_crypto_init() == SK_OK ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_numbers),
        cmocka_unit_test(test_descriptors),
        cmocka_unit_test(test_memory),
#if defined(__x86_64__)
        cmocka_unit_test(test_interfaces),
#endif
        cmocka_unit_test(test_landlock),
    };
    return cmocka_run_group_tests(tests, begin, NULL);
}
