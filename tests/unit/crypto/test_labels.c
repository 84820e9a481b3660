/*
 * Goal of this test: labels are unique, fit their 15 characters of printable ASCII, and are padded
 * with zeros.
 */
#include "crypto/labels.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

static const char *const texts[] = {
#define TEXT(name, text) text,
    SK_LABEL_LIST(TEXT)
#undef TEXT
};

static void labels_are_their_text_padded_with_zeros(void **state)
{
    (void)state;
    for (int l = 0; l < SK_LABEL_COUNT; l++) {
        const uint8_t *bytes = sk_label_bytes((enum sk_label)l);
        size_t len = strlen(texts[l]);
        assert_in_range(len, 1, SK_LABEL_LEN - 1);
        assert_memory_equal(bytes, texts[l], len);
        for (size_t i = 0; i < len; i++)
            assert_in_range(bytes[i], 0x20, 0x7e);
        for (size_t i = len; i < SK_LABEL_LEN; i++)
            assert_int_equal(bytes[i], 0);
    }
}

static void labels_are_unique(void **state)
{
    (void)state;
    for (int l = 0; l < SK_LABEL_COUNT; l++)
        for (int other = 0; other < l; other++)
            assert_memory_not_equal(sk_label_bytes((enum sk_label)l),
                                    sk_label_bytes((enum sk_label)other), SK_LABEL_LEN);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(labels_are_their_text_padded_with_zeros),
        cmocka_unit_test(labels_are_unique),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
