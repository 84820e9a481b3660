# Tests labelled lint: what can be told without running the programs. Not repeated in the builds with
# sanitizers or coverage.
if(NOT SK_SANITIZE AND NOT SK_COVERAGE)
    foreach(name cppcheck files format gcc_analyzer hardening headers layering links man shell text tidy)
        add_test(NAME lint/${name} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/lint/${name}.sh
            WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
        set_tests_properties(lint/${name} PROPERTIES LABELS lint TIMEOUT 1200
            ENVIRONMENT "SK_BIN=${PROJECT_BINARY_DIR}/cli;SK_BUILD=${PROJECT_BINARY_DIR}")
    endforeach()
    # Those that use every core.
    cmake_host_system_information(RESULT cores QUERY NUMBER_OF_LOGICAL_CORES)
    set_tests_properties(lint/cppcheck lint/gcc_analyzer lint/tidy PROPERTIES PROCESSORS ${cores})

    # The same tests under AddressSanitizer, LeakSanitizer and UndefinedBehaviorSanitizer.
    add_test(NAME asan COMMAND ${CMAKE_CTEST_COMMAND} --test-dir ${PROJECT_SOURCE_DIR}/build/asan
        -j ${cores} --output-on-failure -L "unit|fault|fuzz|cli|model")
    set(seconds 7200) # against what hangs: no machine is so slow
    if(SK_VALGRIND) # the long run: its soaks are longer here too
        set(seconds 14400)
    endif()
    set_tests_properties(asan PROPERTIES LABELS asan TIMEOUT ${seconds} COST 1000
        ENVIRONMENT ASAN_OPTIONS=quarantine_size_mb=8) # freed pages that stay away cost a tenth of the time
endif()
