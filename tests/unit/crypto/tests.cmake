add_library(sk_support_crypto STATIC support/vectors.c)
target_link_libraries(sk_support_crypto PUBLIC sk_crypto)

foreach(name aead hash kdf labels merkle note secret sign slot status)
    sk_unit_test(crypto ${name})
endforeach()
