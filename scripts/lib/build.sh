# shellcheck shell=bash
# Configures and builds. Sourced by scripts/demo and scripts/test, from the top of the tree.
#
# build_lastref DIRECTORY [TARGET...]: debug information and optimisation as in a release for
# distributions; everything where no target is named.

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
