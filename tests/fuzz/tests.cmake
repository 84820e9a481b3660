# Tests labelled fuzz: each target replays its corpus and mutations of it through a plain driver.
foreach(target carve entry form frames invite json manifest note receipt text)
    add_executable(fuzz_${target} fuzz/fuzz_${target}.c fuzz/driver.c)
    target_link_libraries(fuzz_${target} PRIVATE sk_sync)
    add_test(NAME fuzz/${target} COMMAND sh ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/replay.sh
        $<TARGET_FILE:fuzz_${target}> ${CMAKE_CURRENT_SOURCE_DIR}/fuzz/corpus/${target})
    set_tests_properties(fuzz/${target} PROPERTIES LABELS fuzz TIMEOUT 3000)
endforeach()
