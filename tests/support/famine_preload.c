/*
 * Memory that runs out (famine.h) in a program that is not a test: preloaded with SK_FAMINE set to
 * "KINDS NUMBER LASTING". When the program ends, how many such calls there were is written to the
 * file SK_FAMINE_COUNT. What the program starts is left alone.
 */
#include "tests/support/famine.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int count_fd = -1;
static pid_t program;

__attribute__((constructor)) static void read_environment(void)
{
    const char *wanted = getenv("SK_FAMINE");
    const char *count_path = getenv("SK_FAMINE_COUNT");
    struct sk_famine famine = {.kinds = 0};
    unsigned long number = 0;
    int lasting = 0;
    if (!wanted || !count_path)
        return;
    if (sscanf(wanted, "%u %lu %d", &famine.kinds, &number, &lasting) != 3)
        abort();
    (void)unsetenv("LD_PRELOAD");
    (void)unsetenv("SK_FAMINE");
    count_fd = open(count_path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (count_fd < 0)
        abort();
    program = getpid();
    famine.number = number;
    famine.lasting = lasting != 0;
    sk_famine_begin(&famine);
}

__attribute__((destructor)) static void write_count(void)
{
    uint64_t counted = sk_famine_counted();
    sk_famine_end();
    if (count_fd >= 0 && getpid() == program)
        (void)dprintf(count_fd, "%llu\n", (unsigned long long)counted);
}
