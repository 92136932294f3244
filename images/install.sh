#!/bin/bash
# Turns a Debian 12 or 13 host into a Plaza node: packages, users, programs, services, settings.
# The image recipe and the Vagrantfile use this same script. Running it again updates; with --repair it repairs.
#
#   sudo images/install.sh [--settings FILE] [--wheelhouse DIR] [--no-packages] [--no-start] [--repair]
#
#   --settings FILE    plaza settings (TOML); checked before anything is changed
#   --wheelhouse DIR   take every Python package from this folder and ask no index
#   --no-packages      the Debian packages are there already; ask no mirror
#   --no-start         do not start the services (for a chroot or an image)
#   --repair           install the programs anew, even those that were made from this very tree
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
source_tree=$(dirname "$here")
prefix=/opt/plaza
data=/var/lib/plaza
settings= wheelhouse= debian=yes start=yes repair=no

say() { printf '[plaza] %s\n' "$*"; }
fail() { printf '[plaza] %s\n' "$*" >&2; exit "${2:-1}"; }

while [ $# -gt 0 ]; do
    case $1 in
        --settings) settings=${2:?--settings needs a file}; shift 2 ;;
        --wheelhouse) wheelhouse=${2:?--wheelhouse needs a folder}; shift 2 ;;
        --no-packages) debian=no; shift ;;
        --no-start) start=no; shift ;;
        --repair) repair=yes; shift ;;
        -h | --help) sed -n '2,12p' "$0" | cut -c3-; exit 0 ;;
        *) fail "unknown option $1 (see --help)" 2 ;;
    esac
done
[ "$(id -u)" -eq 0 ] || fail "run me as root"
. /etc/os-release
case "${ID:-}:${VERSION_ID:-}" in
    debian:12 | debian:13) ;;
    *) fail "this is ${PRETTY_NAME:-an unknown system}; a node is Debian 12 or 13" ;;
esac
[ -z "$settings" ] || [ -r "$settings" ] || fail "cannot read the settings $settings"

if [ "$debian" = yes ]; then
    say "packages from Debian"
    lists=("$here/packages-node.txt")
    [ -n "$wheelhouse" ] || lists+=("$here/packages-build.txt")
    mapfile -t packages < <(grep -hv '^#' "${lists[@]}")
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -q
    apt-get install -y -q --no-install-recommends "${packages[@]}"
fi

parts=(pyproject.toml README.md LICENSE NOTICE municipio sync hardware kiosk captive_portal central plaza)

what_the_programs_are_made_from() {
    python3 --version
    cd "$source_tree"
    find "${parts[@]}" requirements/{build,runtime}.txt -type f -not -name '*.pyc' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum
}

install_programs() {
    [ -x "$prefix/venv/bin/python" ] || python3 -m venv "$prefix/venv"
    local pip=("$prefix/venv/bin/python" -m pip install -q --disable-pip-version-check) list
    for list in build runtime; do
        if [ -n "$wheelhouse" ]; then
            # A wheelhouse may hold wheels built for this board, whose hashes no list knows: it is trusted
            # as the folder that was carried here, at the exact versions of the list.
            grep -oE '^[A-Za-z0-9_.-]+==[^ ]+' "$source_tree/requirements/$list.txt" > "$build/versions.txt"
            "${pip[@]}" --no-index --find-links "$wheelhouse" --no-deps -r "$build/versions.txt"
        else
            "${pip[@]}" --require-hashes -r "$source_tree/requirements/$list.txt"
        fi
    done
    # A copy, so that the build leaves nothing in the tree it was given (it may be read-only).
    mkdir "$build/tree"
    (cd "$source_tree" && cp -a "${parts[@]}" "$build/tree/")
    "${pip[@]}" --no-deps --no-index --no-build-isolation --force-reinstall "$build/tree"
}

build=$(mktemp -d)
trap 'rm -rf "$build"' EXIT
made_from=$(what_the_programs_are_made_from | sha256sum | cut -d' ' -f1)
seal=$prefix/venv/made-from.sha256
if [ "$repair" = no ] && [ "$(cat "$seal" 2> /dev/null)" = "$made_from" ]; then
    say "programs in $prefix: made from this tree already (--repair installs them anew)"
else
    say "programs in $prefix"
    rm -f "$seal"
    install_programs
    # Whoever finds the seal after a power cut must find the programs too.
    sync -f "$prefix/venv"
    echo "$made_from" > "$seal"
fi
ln -sfn "$prefix/venv/bin/plaza" /usr/local/bin/plaza

if [ -n "$settings" ]; then
    say "checking the settings"
    "$prefix/venv/bin/plaza" settings check "$settings" || fail "the settings were refused; nothing of the node was changed"
fi

say "users, folders and services"
cp -a --no-preserve=ownership "$here/overlay/." /
systemd-sysusers plaza.conf
install -d -m 2770 -o root -g plaza "$data"
if [ -n "$settings" ]; then
    install -m 0640 -o root -g plaza "$settings" "$data/settings.toml"
fi
systemd-tmpfiles --create plaza.conf || [ "$start" = no ]
for unit in "$here"/overlay/usr/lib/systemd/system/plaza*.{target,service,timer,path}; do
    systemctl enable -q "$(basename "$unit")"
done

if [ "$start" = yes ]; then
    systemctl daemon-reload
    if [ -e "$data/keys/node.key" ]; then
        systemctl restart plaza.target
    else
        say "this node has no key yet: run  plaza node init --central URL --city-key FILE --data $data"
    fi
fi
if [ ! -s "$data/ssh/authorized_keys" ] && [ ! -s /data/system/ssh/authorized_keys ]; then
    say "SSH is shut from the next start on: to keep it, put a technician's key into $data/ssh/authorized_keys"
fi
say "ready: $("$prefix/venv/bin/plaza" --version)"
