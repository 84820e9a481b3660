/*
 * Goal of this test: type names and numbers go both ways; ids survive being shown and read, and
 * nothing but 32 hex digits is an id; lists of ranges stay sorted, disjoint and not touching, and
 * agree with a plain array of bits through thousands of random additions.
 */
#include "core/types.h"
#include "crypto/secret.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static int start(void **state)
{
    (void)state;
    return sk_crypto_init() == SK_OK ? 0 : -1;
}

static void names_and_numbers_go_both_ways(void **state)
{
    (void)state;
#define CHECK(name, number, text)                    \
    assert_string_equal(sk_type_name(number), text); \
    assert_int_equal(sk_type_from_name(text), SK_TYPE_##name);
    SK_TYPE_LIST(CHECK)
#undef CHECK
    assert_string_equal(sk_type_name(0), "unknown");
    assert_string_equal(sk_type_name(SK_TYPE_LAST + 1), "unknown");
    assert_string_equal(sk_type_name(UINT32_MAX), "unknown");
    assert_int_equal(sk_type_from_name("unknown"), 0);
    assert_int_equal(sk_type_from_name(""), 0);
    assert_int_equal(sk_type_from_name("Person"), 0);
    assert_int_equal(sk_type_from_name("person "), 0);
}

static void six_types_are_records(void **state)
{
    (void)state;
    for (unsigned type = 0; type < 300; type++)
        assert_int_equal(sk_type_is_record(type), type >= 1 && type <= 6);
}

static void ids_survive_being_shown_and_read(void **state)
{
    struct sk_id id;
    struct sk_id other;
    struct sk_id back;
    char text[SK_ID_TEXT_LEN];

    (void)state;
    sk_id_random(&id);
    sk_id_random(&other);
    assert_memory_not_equal(&id, &other, sizeof(id));
    sk_id_format(text, &id);
    assert_int_equal(strlen(text), 32);
    assert_int_equal(strspn(text, "0123456789abcdef"), 32);
    assert_int_equal(sk_id_parse(&back, text), SK_OK);
    assert_memory_equal(&id, &back, sizeof(id));
    assert_int_equal(sk_id_parse(&back, "00112233445566778899AABBCCDDEEFF"), SK_OK);
    assert_int_equal(back.bytes[10], 0xaa);
    assert_int_equal(back.bytes[15], 0xff);
}

static void nothing_else_is_an_id(void **state)
{
    char text[SK_ID_TEXT_LEN];
    struct sk_id id = {{7}};
    const struct sk_id before = id;

    (void)state;
    for (size_t at = 0; at < 32; at++) {
        for (int c = 1; c < 256; c++) {
            bool digit = strchr("0123456789abcdefABCDEF", c) != NULL;

            if (digit)
                continue;
            memset(text, '0', 32);
            text[32] = '\0';
            text[at] = (char)c;
            assert_int_equal(sk_id_parse(&id, text), SK_USAGE);
        }
    }
    assert_int_equal(sk_id_parse(&id, ""), SK_USAGE);
    assert_int_equal(sk_id_parse(&id, "0011223344556677889900112233445"), SK_USAGE);
    assert_int_equal(sk_id_parse(&id, "001122334455667788990011223344556"), SK_USAGE);
    assert_memory_equal(&id, &before, sizeof(id));
}

static void hex_is_lower_case(void **state)
{
    const uint8_t bytes[] = {0x00, 0x0f, 0xf0, 0xab};
    char text[9] = "";

    (void)state;
    sk_hex(text, bytes, sizeof(bytes));
    assert_string_equal(text, "000ff0ab");
    sk_hex(text, bytes, 0);
    assert_string_equal(text, "");
}

/* A list for each test, freed by teardown. */
static struct sk_ranges list;
static struct sk_ranges other_list;
static struct sk_ranges result;

static int clear_lists(void **state)
{
    (void)state;
    sk_ranges_clear(&list);
    sk_ranges_clear(&other_list);
    sk_ranges_clear(&result);
    return 0;
}

static void add(struct sk_ranges *ranges, uint64_t from, uint64_t to)
{
    assert_int_equal(sk_ranges_add(ranges, from, to, NULL), SK_OK);
}

static void assert_ranges(const struct sk_ranges *ranges, size_t count, const uint64_t *expected)
{
    assert_int_equal(ranges->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(ranges->items[i].from, expected[2 * i]);
        assert_int_equal(ranges->items[i].to, expected[2 * i + 1]);
    }
}

static void ranges_unite(void **state)
{
    (void)state;
    add(&list, 5, 5);
    add(&list, 7, 3);
    assert_int_equal(list.count, 0);
    add(&list, 10, 20);
    add(&list, 30, 40);
    add(&list, 0, 5);
    assert_ranges(&list, 3, (const uint64_t[]){0, 5, 10, 20, 30, 40});
    add(&list, 20, 22);
    add(&list, 28, 30);
    assert_ranges(&list, 3, (const uint64_t[]){0, 5, 10, 22, 28, 40});
    add(&list, 12, 13);
    assert_ranges(&list, 3, (const uint64_t[]){0, 5, 10, 22, 28, 40});
    add(&list, 22, 28);
    assert_ranges(&list, 2, (const uint64_t[]){0, 5, 10, 40});
    add(&list, 3, UINT64_MAX);
    assert_ranges(&list, 1, (const uint64_t[]){0, UINT64_MAX});
}

static void the_missing_is_the_rest(void **state)
{
    (void)state;
    assert_int_equal(sk_ranges_missing(&result, &list, 0, NULL), SK_OK);
    assert_int_equal(result.count, 0);
    assert_int_equal(sk_ranges_missing(&result, &list, 9, NULL), SK_OK);
    assert_ranges(&result, 1, (const uint64_t[]){0, 9});
    add(&list, 2, 4);
    add(&list, 6, 8);
    sk_ranges_clear(&result);
    assert_int_equal(sk_ranges_missing(&result, &list, 10, NULL), SK_OK);
    assert_ranges(&result, 3, (const uint64_t[]){0, 2, 4, 6, 8, 10});
    sk_ranges_clear(&result);
    assert_int_equal(sk_ranges_missing(&result, &list, 7, NULL), SK_OK);
    assert_ranges(&result, 2, (const uint64_t[]){0, 2, 4, 6});
    sk_ranges_clear(&result);
    assert_int_equal(sk_ranges_missing(&result, &list, 3, NULL), SK_OK);
    assert_ranges(&result, 1, (const uint64_t[]){0, 2});
}

static void the_common_is_in_both(void **state)
{
    (void)state;
    add(&list, 0, 5);
    add(&list, 8, 12);
    add(&list, 20, 30);
    add(&other_list, 3, 9);
    add(&other_list, 11, 25);
    add(&other_list, 30, 31);
    assert_int_equal(sk_ranges_common(&result, &list, &other_list, NULL), SK_OK);
    assert_ranges(&result, 4, (const uint64_t[]){3, 5, 8, 9, 11, 12, 20, 25});
}

#define MODEL_SIZE 400

/* Draws a list and the same as an array of bits. */
static void draw(struct sk_ranges *ranges, bool model[static MODEL_SIZE], int additions)
{
    memset(model, 0, MODEL_SIZE * sizeof(*model));
    for (int i = 0; i < additions; i++) {
        uint32_t from = sk_random_below(MODEL_SIZE);
        uint32_t to = from + sk_random_below(12);

        if (to > MODEL_SIZE)
            to = MODEL_SIZE;
        add(ranges, from, to);
        for (uint32_t k = from; k < to; k++)
            model[k] = true;
    }
}

static void assert_well_formed(const struct sk_ranges *ranges)
{
    for (size_t i = 0; i < ranges->count; i++) {
        assert_true(ranges->items[i].from < ranges->items[i].to);
        assert_true(i == 0 || ranges->items[i - 1].to < ranges->items[i].from);
    }
}

static void ranges_agree_with_bits(void **state)
{
    bool a[MODEL_SIZE];
    bool b[MODEL_SIZE];

    (void)state;
    for (int round = 0; round < 300; round++) {
        (void)clear_lists(NULL);
        draw(&list, a, round % 60);
        draw(&other_list, b, 60 - round % 60);
        assert_well_formed(&list);
        for (uint64_t k = 0; k < MODEL_SIZE; k++)
            assert_int_equal(sk_ranges_contain(&list, k), a[k]);
        assert_int_equal(sk_ranges_common(&result, &list, &other_list, NULL), SK_OK);
        assert_well_formed(&result);
        for (uint64_t k = 0; k < MODEL_SIZE; k++)
            assert_int_equal(sk_ranges_contain(&result, k), a[k] && b[k]);
        sk_ranges_clear(&result);
        assert_int_equal(sk_ranges_missing(&result, &list, MODEL_SIZE - 50, NULL), SK_OK);
        assert_well_formed(&result);
        for (uint64_t k = 0; k < MODEL_SIZE; k++)
            assert_int_equal(sk_ranges_contain(&result, k), k < MODEL_SIZE - 50 && !a[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_and_numbers_go_both_ways),
        cmocka_unit_test(six_types_are_records),
        cmocka_unit_test(ids_survive_being_shown_and_read),
        cmocka_unit_test(nothing_else_is_an_id),
        cmocka_unit_test(hex_is_lower_case),
        cmocka_unit_test_teardown(ranges_unite, clear_lists),
        cmocka_unit_test_teardown(the_missing_is_the_rest, clear_lists),
        cmocka_unit_test_teardown(the_common_is_in_both, clear_lists),
        cmocka_unit_test_teardown(ranges_agree_with_bits, clear_lists),
    };
    return cmocka_run_group_tests(tests, start, NULL);
}
