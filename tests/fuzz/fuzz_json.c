/* JSON as --from reads it: objects, arrays, lines. What parses must be written so that it parses.
 */
#include "core/json.h"
#include "tests/fuzz/fuzz.h"

#include <string.h>

static enum sk_status each(void *context, json_t *object, size_t number, struct sk_error *err)
{
    size_t *count = context;
    SK_FUZZ_CHECK(json_is_object(object) && number == ++*count);
    sk_auto_buf text = SK_BUF_INIT;
    sk_auto_json again = NULL;
    SK_TRY(sk_json_write(&text, object, err));
    SK_FUZZ_CHECK(sk_json_parse(&again, sk_buf_text(&text), text.len, err) == SK_OK);
    SK_FUZZ_CHECK(json_equal(again, object));
    return SK_OK;
}

struct input {
    const uint8_t *bytes;
    size_t len;
    size_t piece; /* is read at once */
};

static enum sk_status read_some(void *from, void *out, size_t len, size_t *got,
                                struct sk_error *err)
{
    struct input *input = from;
    (void)err;
    *got = input->len < input->piece ? input->len : input->piece;
    *got = *got < len ? *got : len;
    memcpy(out, input->bytes, *got);
    input->bytes += *got;
    input->len -= *got;
    return SK_OK;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    size_t count = 0;
    sk_auto_json json = NULL;
    sk_ignore(sk_json_parse(&json, (const char *)bytes, len, NULL));
    sk_ignore(
        sk_json_each(read_some, &(struct input){bytes, len, len / 8 + 1}, each, &count, NULL));
    return 0;
}
