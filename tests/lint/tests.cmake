# Tests labelled lint: what can be told without running the programs. Not repeated in the builds with
# sanitizers or coverage.
if(NOT SK_SANITIZE AND NOT SK_COVERAGE)
    foreach(name format hardening headers layering man shell text)
        add_test(NAME lint/${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/${name}.sh
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(lint/${name} PROPERTIES LABELS lint TIMEOUT 1200
            ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli;SK_BUILD=${PROJECT_BINARY_DIR}")
    endforeach()

    # The same tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.
    add_test(NAME asan COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${PROJECT_SOURCE_DIR}/build/asan
        --output-on-failure -L "unit|fault|fuzz|cli")
    set_tests_properties(asan PROPERTIES LABELS asan TIMEOUT 2400 COST 1000)
endif()
