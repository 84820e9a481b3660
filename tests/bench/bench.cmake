# Programs that store.py runs; no test runs them. Built when asked for: cmake --build ... --target bench
add_executable(bench_store EXCLUDE_FROM_ALL bench/store.c bench/store_peers.c bench/store_program.c)
target_link_libraries(bench_store PRIVATE sk_core PkgConfig::SQLITE m)
add_custom_target(bench DEPENDS bench_store sk_test_vfs)

pkg_check_modules(SQLCIPHER IMPORTED_TARGET sqlcipher)
if(SQLCIPHER_FOUND)
    add_executable(bench_store_sqlcipher EXCLUDE_FROM_ALL bench/store.c bench/store_peers.c
        bench/store_no_program.c)
    # The analysers see the shared sources once.
    set_target_properties(bench_store_sqlcipher PROPERTIES EXPORT_COMPILE_COMMANDS OFF)
    target_compile_definitions(bench_store_sqlcipher PRIVATE SK_BENCH_SQLCIPHER)
    target_link_libraries(bench_store_sqlcipher PRIVATE sk_build PkgConfig::SQLCIPHER m)
    add_dependencies(bench bench_store_sqlcipher)
endif()

add_executable(bench_sync_scale EXCLUDE_FROM_ALL bench/sync_scale.c)
target_link_libraries(bench_sync_scale PRIVATE sk_sync)
add_dependencies(bench bench_sync_scale)

add_executable(bench_passes EXCLUDE_FROM_ALL bench/passes.c)
target_link_libraries(bench_passes PRIVATE sk_core PkgConfig::SODIUM)
add_dependencies(bench bench_passes)
