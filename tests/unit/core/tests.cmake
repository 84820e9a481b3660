# Unit tests of core.
add_library(sk_support_core STATIC support/temp_dir.c support/stores.c)
target_link_libraries(sk_support_core PUBLIC sk_core)

sk_unit_test(core entry)
sk_unit_test(core form)
sk_unit_test(core form_load)
sk_unit_test(core json)
sk_unit_test(core text)
sk_unit_test(core types)
