/*
 * Workers in the hands of whoever wrote the bundle. A test that uses them begins its main() with
 * sk_hostile_main(), and names one as sk_worker.name; they are the test's own program, started as
 * the real worker is.
 */
#ifndef SK_TESTS_HOSTILE_WORKER_H
#define SK_TESTS_HOSTILE_WORKER_H

#include <stddef.h>
#include <stdint.h>

/* Runs the real worker or a hostile one, and does not return, if this process was started as one.
 */
void sk_hostile_main(int argc, char **argv);

/* Calls that a worker may not make: "call-<name>" makes that one behind the sandbox. */
size_t sk_hostile_call_count(void);
const char *sk_hostile_call_name(size_t n);

/*
 * The others:
 *   "crash"       reads what it may not; without a sandbox, since that is not what ends it
 *   "killed"      is killed from outside
 *   "silent"      says nothing, for ever
 *   "leaves"      ends without a word
 *   "early"       the same, before it has said that it is ready
 *   "other"       is another program altogether
 *   "hungry"      takes memory until there is none; memory when it got too much
 *   "overflow"    writes past the end of a block: for builds with AddressSanitizer
 *   "look"        looks around: descriptors, environment, limits, what can be traced
 *   "say-<n>"     says the n-th nonsense
 *   "liar-<n>"    the real worker's words, with the n-th byte of them changed
 *   "cut-<n>"     the real worker's words, up to the n-th byte
 *   "flood"       raw bytes without end
 *   "find-<hex>"  searches its memory for the bytes that the hex gives when each is turned over
 * "look" and "find" end in SK_LIMIT when all is as it should be, and in SK_IO otherwise.
 */
#define SK_HOSTILE_NONSENSE 15

#define SK_HOSTILE_TURN 0x5a /* by which each byte is turned over, so that no copy is found */

/* Whether the bytes that `turned` gives when each is turned over again stand in this process'
 * memory. */
int sk_hostile_finds(const uint8_t *turned, size_t len);

#endif
