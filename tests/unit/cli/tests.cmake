# Unit tests of cli: what is easier shown without a program around it.
add_library(sk_support_cli INTERFACE)

foreach(name strength words)
    sk_unit_test(cli ${name})
endforeach()
