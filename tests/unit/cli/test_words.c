/*
 * Goal of this test: recovery words are read in any case and with anything between them, and come
 * out as a slot takes them; what is not twelve words of the list is told from what nearly is.
 */
#include "cli/words.h"
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <ctype.h>
#include <string.h>

#define TWELVE "baba bebe bibi lara gibi dada tane tata mimi hido zete vada"

static enum sk_words_shape read_words(const char *typed, char *out, unsigned *at)
{
    sk_auto_line line = SK_LINE_INIT;
    enum sk_words_shape shape = SK_WORDS_NONE;
    assert_int_equal(sk_words_read(&line, typed, strlen(typed), &shape, at, NULL), SK_OK);
    assert_true((shape == SK_WORDS_ALL) == (line.secret != NULL));
    (void)snprintf(out, 200, "%s", sk_line_text(&line));
    return shape;
}

static void assert_reads(const char *typed, enum sk_words_shape expected, unsigned expected_at)
{
    char out[200];
    unsigned at = 99;
    enum sk_words_shape shape = read_words(typed, out, &at);
    if (shape != expected)
        fail_msg("\"%s\" is taken for %d", typed, (int)shape);
    if (shape == SK_WORDS_ALL)
        assert_string_equal(out, TWELVE);
    if (shape == SK_WORDS_NEARLY)
        assert_int_equal(at, expected_at);
}

static void test_any_way_of_typing(void **state)
{
    (void)state;
    static const char *const ways[] = {
        TWELVE,
        "  " TWELVE "  ",
        "BABA BEBE BIBI LARA GIBI DADA TANE TATA MIMI HIDO ZETE VADA",
        "Baba, Bebe, Bibi, Lara,\tGibi, Dada, Tane, Tata, Mimi, Hido, Zete, Vada.",
        "1. baba 2. bebe 3. bibi 4. lara 5. gibi 6. dada 7. tane 8. tata 9. mimi 10. hido 11. zete "
        "12. vada\r",
        "baba-bebe-bibi-lara-gibi-dada-tane-tata-mimi-hido-zete-vada",
        "baba\xc2\xa0"
        "bebe bibi lara gibi dada tane tata mimi hido zete vada",
    };
    for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++)
        assert_reads(ways[i], SK_WORDS_ALL, 0);
}

static void test_slips(void **state)
{
    (void)state;
    assert_reads("xxxx bebe bibi lara gibi dada tane tata mimi hido zete vada", SK_WORDS_NEARLY, 1);
    assert_reads("baba bebe bibi lara gibi dada tane tata mimi hido zete vad", SK_WORDS_NEARLY, 12);
    assert_reads("baba bebe bibi xxxx gibi dada tane yyyy mimi hido zete vada", SK_WORDS_NEARLY, 4);
    assert_reads("bebe bibi lara gibi dada tane tata mimi hido zete vada", SK_WORDS_NEARLY, 0);
    assert_reads(TWELVE " baba", SK_WORDS_NEARLY, 0);
    assert_reads("bababebe bibi lara gibi dada tane tata mimi hido zete vada", SK_WORDS_NEARLY, 0);
}

static void test_other_things(void **state)
{
    (void)state;
    static const char *const others[] = {
        "",
        " ",
        "baba",
        "a passphrase for tests",
        "baba bebe bibi lara gibi dada",
        "one two three four five six seven eight nine ten eleven twelve",
        TWELVE " " TWELVE,
        "\xd0\xb1\xd0\xb0\xd0\xb1\xd0\xb0",
        "............",
    };
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++)
        assert_reads(others[i], SK_WORDS_NONE, 0);
}

/* What was drawn reads back as itself. */
static void test_drawn(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 300; i++) {
        sk_auto_line words = SK_LINE_INIT;
        char out[200], upper[200];
        unsigned at = 0;
        assert_int_equal(sk_words_draw(&words, SK_WORDS_RECOVERY, NULL), SK_OK);
        assert_int_equal(words.len, 12 * 5 - 1);
        for (size_t j = 0; j <= words.len; j++)
            upper[j] = (char)toupper((unsigned char)sk_line_text(&words)[j]);
        assert_int_equal(read_words(upper, out, &at), SK_WORDS_ALL);
        assert_string_equal(out, sk_line_text(&words));
    }
}

static int setup(void **state)
{
    (void)state;
    return sk_crypto_init() == SK_OK ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return sk_secret_live_count() == 0 ? 0 : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_way_of_typing),
        cmocka_unit_test(test_slips),
        cmocka_unit_test(test_other_things),
        cmocka_unit_test(test_drawn),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
