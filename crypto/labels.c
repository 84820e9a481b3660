#include "crypto/labels.h"

#define CHECK_LENGTH(name, text) \
    _Static_assert(sizeof(text) > 1 && sizeof(text) <= SK_LABEL_LEN, "a label of a wrong length");
SK_LABEL_LIST(CHECK_LENGTH)
#undef CHECK_LENGTH

static const uint8_t labels[SK_LABEL_COUNT][SK_LABEL_LEN] = {
#define ROW(name, text) \
    [SK_LABEL_##name] = text, /* NOLINT(bugprone-macro-parentheses): an initializer */
    SK_LABEL_LIST(ROW)
#undef ROW
};

const uint8_t *sk_label_bytes(enum sk_label label)
{
    return labels[label];
}
