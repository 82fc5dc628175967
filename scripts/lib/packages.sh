# shellcheck shell=bash disable=SC2034  # the lists are for whoever sources this
# Which Debian packages each script needs, and how they get there. Sourced by scripts/demo and
# scripts/test; does nothing by itself.
#
# ensure_packages LIST... looks first, with dpkg-query alone: where nothing is missing it needs
# neither root nor a network. Else it installs what is missing with apt-get, as root or by
# `sudo -n`, and exits 2 with the packages' names where that can't be done.

needed_packages=(g++ meson ninja-build pkg-config libfmt-dev libdw-dev libelf-dev libzstd-dev
    zlib1g-dev libcli11-dev nlohmann-json3-dev)
# With all report formats, and the unit tests.
build_packages=("${needed_packages[@]}" libsqlite3-dev catch2 libunwind-dev)
demo_packages=("${needed_packages[@]}" libboost-dev python3)
test_packages=(clang libzydis-dev libjemalloc2 bind9-dnsutils nghttp2-client libjemalloc-dev
    libgoogle-perftools-dev libmimalloc2.0 faketime libclang-rt-14-dev sqlite3 ffmpeg
    gstreamer1.0-tools gstreamer1.0-plugins-base libgstreamer1.0-dev git redis-server redis-tools
    nginx-light apache2-utils openjdk-17-jdk-headless perl heaptrack gdb cmake python3-jsonschema
    python3-lxml python3-yaml python3-pytest binutils openssl dbus-daemon dbus-bin libglib2.0-bin
    libevent-2.1-7 libnghttp2-14 libxml2-utils libwayland-server0 libwayland-client0 libgrpc29
    protobuf-compiler chromium libdebuginfod1 bash bc bsdutils bubblewrap bzip2 curl diffutils
    dpkg erlang-base file findutils firefox-esr gawk gcc gnupg groff-base guile-3.0 gzip jq
    libtcmalloc-minimal4 lua5.4 lz4 make man-db mawk openssh-client patch php-cli postgresql rsync
    ruby strace tcl unzip util-linux vim xz-utils zip zsh zstd)
# The HTML report's front end is bundled by node and npm, from wherever they come.
command -v npm >/dev/null || test_packages+=(nodejs npm)

missing_packages() {
    local package
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] ||
            echo "$package"
    done
}

# cannot_install REASON PACKAGE...
cannot_install() {
    local name=${0##*/} reason=$1
    shift
    printf '%s: packages are missing and could not be installed: %s\n' "$name" "$reason" >&2
    printf '%s: as root: apt-get update && apt-get install %s\n' "$name" "$*" >&2
    exit 2
}

# Installs what ensure_packages found missing. Servers are installed for tests that start their own,
# so no service may start now; a policy that the machine already has stays as it is.
install_quietly() (
    policy=/usr/sbin/policy-rc.d
    if [[ ! -e $policy ]]; then
        trap '"${as_root[@]}" rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null
        "${as_root[@]}" chmod 755 "$policy"
    fi
    "${as_root[@]}" apt-get -o DPkg::Lock::Timeout=300 update </dev/null &&
        "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive \
            apt-get -o DPkg::Lock::Timeout=300 install -y --no-install-recommends \
            "${missing[@]}" </dev/null
)

ensure_packages() {
    if ! command -v dpkg-query >/dev/null; then
        echo "${0##*/}: not a Debian system; install what these packages hold by hand: $*" >&2
        return 0
    fi
    local missing as_root=()
    mapfile -t missing < <(missing_packages "$@")
    [[ ${#missing[@]} != 0 ]] || return 0

    if [[ $(id -u) != 0 ]]; then
        sudo -n true 2>/dev/null ||
            cannot_install "neither root nor sudo without a password" "${missing[@]}"
        as_root=(sudo -n)
    fi
    echo "${0##*/}: installing ${missing[*]}" >&2
    local output status=0
    output=$(mktemp)
    install_quietly >"$output" 2>&1 || status=$?
    if [[ $status != 0 ]]; then
        tail -n 20 "$output" >&2
        rm -f "$output"
        cannot_install "apt-get ended with status $status (see above)" "${missing[@]}"
    fi
    rm -f "$output"
}
