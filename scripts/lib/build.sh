# Sourced by the scripts that build and test.
# shellcheck shell=bash

# One compiler a processor, but never more than the memory allows (a file full of coroutines takes up to 1.5 GB).
build_jobs() {
    local processors memory
    processors=$(nproc)
    memory=$(awk '/^MemAvailable:/ { print int($2 / 1572864) }' /proc/meminfo)
    echo $((memory < 1 ? 1 : memory < processors ? memory : processors))
}

# configure PRESET TESTS: sets the build tree up, unless it is. TESTS is ON or OFF; a tree that has tests keeps them.
configure() {
    local tree=build/$1 tests=$2
    [[ ! -e $tree/configured.ON ]] || tests=ON
    # Changes of other files than the presets are ninja's business.
    [[ ! $tree/configured.$tests -nt CMakePresets.json ]] || return 0
    if command -v ccache >/dev/null; then
        export CMAKE_CXX_COMPILER_LAUNCHER=ccache
    fi
    cmake --preset "$1" "-DTRACKD_BUILD_TESTS=$tests"
    touch "$tree/configured.$tests"
}

# build PRESET TESTS TARGET...: brings the targets up to date, and says nothing when they are. For TESTS see configure.
build() {
    local preset=$1 tests=$2
    shift 2
    {
        configure "$preset" "$tests"
        # Not in one pipeline: under pipefail a grep that has seen enough would make a failure of ninja's SIGPIPE.
        if [[ $(ninja -C "build/$preset" -n "$@") != *"no work to do"* ]]; then
            ninja -C "build/$preset" -j "$(build_jobs)" "$@"
        fi
    } >&2
}

# run_ctest "TREE..." ARGUMENT...: one run of CTest over the tests of all these build trees, with one summary at its end.
# Three tests for two processors: most of them wait for a daemon, a database or a disk.
run_ctest() {
    local trees=$1 all=build/tests-of-${1// /-} tree
    shift
    mkdir -p "$all"
    for tree in $trees; do
        echo "subdirs(\"$PWD/build/$tree\")"
    done >"$all/CTestTestfile.cmake"
    # What CMakePresets.json sets for one tree; the builds without a sanitizer ignore it.
    export ASAN_OPTIONS=detect_stack_use_after_return=1
    export UBSAN_OPTIONS=print_stacktrace=1
    export TSAN_OPTIONS=halt_on_error=1:second_deadlock_stack=1:history_size=7:suppressions=$PWD/test/support/tsan.supp
    ctest --test-dir "$all" --output-on-failure --no-tests=error --timeout 600 -j "$(($(nproc) * 3 / 2))" "$@"
}
