/*
 * The registry of labels. Each label separates one use of a hash or key from every other; each is
 * used for one thing. A label is at most 15 characters of ASCII, padded with zeros to 16 bytes.
 */
#ifndef SK_CRYPTO_LABELS_H
#define SK_CRYPTO_LABELS_H

#include <stdint.h>

#define SK_LABEL_LEN 16

/* X(NAME, text): what it is for */
/* clang-format off */
#define SK_LABEL_LIST(X)                                                              \
    X(TAG,          "tag")          /* slot tag of a volume, key TK */                \
    X(MASK,         "mask")         /* mask of an ephemeral key, key MK */            \
    X(WRAP,         "wrap")         /* wrapping key of a slot, key WK */              \
    X(HEADER_KEY,   "header key")   /* key of the header MAC, key FK */               \
    X(HEADER,       "header")       /* header MAC of a volume */                      \
    X(HEADER_HASH,  "header hash")  /* hash of a volume's header, no key */           \
    X(VOLUME,       "volume")       /* key of a volume's chunks, key FK */            \
    X(COMMIT,       "commit")       /* commitment of an entry, key: the salt */       \
    X(BLOCK,        "block")        /* hash of a payload's block, key: the salt */    \
    X(LOG_ID,       "log id")       /* log id from the device's public keys */        \
    X(ARCHIVE_ID,   "archive id")   /* archive id from the archive's public keys */   \
    X(SAFETY,       "safety")       /* digits of a safety number */                   \
    X(CODE,         "code")         /* courier's code of a file */                    \
    X(FILE,         "file")         /* hash of a whole bundle file */                 \
    X(INDICES,      "indices")      /* hash over the indices that carry a payload */  \
    X(KEY_FILE,     "key file")     /* hash of a key file's bytes */                  \
    X(KEY_MIX,      "key mix")      /* passphrase key and key file together */        \
    X(KEYS_MAC,     "keys mac")     /* MAC over the file `keys`, store key */         \
    X(KEYS_SUM,     "keys sum")     /* checksum of the file `keys`, no key */         \
    X(PAGE,         "page")         /* subkey: database pages, store key */           \
    X(PREAMBLE,     "preamble")     /* subkey: first page of `data`, store key */     \
    X(WAL,          "wal")          /* subkey: write-ahead log, store key */          \
    X(MEDIA,        "media")        /* subkey of one media file, its own key */       \
    X(INVITE,       "invite")       /* key of an invite, from its code words */                 \
    X(BACKUP,       "backup")       /* key of a backup's header, from the passphrase */ \
    X(BACKUP_DATA,  "backup data")  /* key of a backup's chunks, key: the file key */ \
    X(FORM,         "form")         /* hash of an organisation's form, no key */
/* clang-format on */

enum sk_label {
#define SK_LABEL_ENUM(name, text) SK_LABEL_##name,
    SK_LABEL_LIST(SK_LABEL_ENUM)
#undef SK_LABEL_ENUM
        SK_LABEL_COUNT
};

/* The padded label; a static array of SK_LABEL_LEN bytes. */
const uint8_t *sk_label_bytes(enum sk_label label);

#endif
