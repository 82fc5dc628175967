# shellcheck shell=bash
# Configures and builds. Sourced by scripts/demo and scripts/test, from the top of the tree.
#
# build_demo DIRECTORY: only what the demonstration shows, in the shortest time: without tests and the
# formats that need further packages, not optimised (the shim always is), without debug information,
# with precompiled headers. Not meant for use.
#
# build_lastref DIRECTORY [TARGET...]: debug information and optimisation as in a release for
# distributions; everything where no target is named.

readonly demo_targets=(analyzer/lastref shim/liblastref.so tests/programs/game_server/game_server
    tests/programs/game_server/game_client)

build_demo() {
    local directory=$1
    if [[ ! -e $directory/build.ninja ]]; then
        meson setup "$directory" -Dbuildtype=plain -Db_pch=true -Dtests=false -Ddemo=true \
            -Dhtml_report=disabled -Dsqlite=disabled
    fi
    ninja -C "$directory" "${demo_targets[@]}"
}

build_lastref() {
    local directory=$1
    shift
    if [[ ! -e $directory/build.ninja ]]; then
        meson setup "$directory"
    elif ! ninja -C "$directory" -t query tests/programs/game_server/game_server &>/dev/null; then
        # Configured without tests, or before Boost was there.
        meson setup --reconfigure -Dtests=true "$directory"
    fi
    ninja -C "$directory" "$@"
}
