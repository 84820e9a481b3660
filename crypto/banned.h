/*
 * Functions that this project does not use, because they overrun, truncate in silence, keep static
 * state or start a shell. The build includes this file before every source.
 */
#ifndef SK_CRYPTO_BANNED_H
#define SK_CRYPTO_BANNED_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define SK_BANNED(function) sk_the_function_##function##_is_banned

#undef strcpy
#define strcpy(d, s) SK_BANNED(strcpy)
#undef strncpy
#define strncpy(d, s, n) SK_BANNED(strncpy)
#undef strcat
#define strcat(d, s) SK_BANNED(strcat)
#undef strncat
#define strncat(d, s, n) SK_BANNED(strncat)
#undef sprintf
#define sprintf(...) SK_BANNED(sprintf)
#undef vsprintf
#define vsprintf(d, f, a) SK_BANNED(vsprintf)
#undef gets
#define gets(s) SK_BANNED(gets)
#undef strtok
#define strtok(s, d) SK_BANNED(strtok)
#undef atoi
#define atoi(s) SK_BANNED(atoi)
#undef atol
#define atol(s) SK_BANNED(atol)
#undef rand
#define rand() SK_BANNED(rand)
#undef srand
#define srand(s) SK_BANNED(srand)
#undef gmtime
#define gmtime(t) SK_BANNED(gmtime)
#undef localtime
#define localtime(t) SK_BANNED(localtime)
#undef ctime
#define ctime(t) SK_BANNED(ctime)
#undef asctime
#define asctime(t) SK_BANNED(asctime)
#undef system
#define system(c) SK_BANNED(system)
#undef popen
#define popen(c, m) SK_BANNED(popen)
#undef tmpnam
#define tmpnam(s) SK_BANNED(tmpnam)
#undef tmpfile
#define tmpfile() SK_BANNED(tmpfile)
#undef mktemp
#define mktemp(t) SK_BANNED(mktemp)

#endif
