#!/usr/bin/env bash
# Installs what a stage needs on a Debian machine, once; says plainly what it may not install.
# Usage: setup.sh rust|node|python|chromium|redis|haproxy
set -euo pipefail

# apt PACKAGE WHY: installs a Debian package if this user may.
apt() {
    if [ "$(id -u)" -ne 0 ] || ! command -v apt-get >/dev/null; then
        echo "setup: $2 is missing and this user may not install it: apt-get install $1" >&2
        exit 1
    fi
    echo "setup: installing $1"
    # Stages that run side by side wait for each other.
    exec 9>/tmp/outcry-setup.lock
    flock 9
    apt-get install --yes --quiet "$1" >/dev/null 2>&1 ||
        { apt-get update --quiet >/dev/null && apt-get install --yes --quiet "$1" >/dev/null; }
}

case "$1" in
rust)
    if ! command -v cargo >/dev/null; then
        echo "setup: cargo is missing; install Rust (https://rustup.rs) and try again" >&2
        exit 1
    fi
    # SQLite and the TLS primitives are C.
    command -v cc >/dev/null || apt build-essential "a C compiler"
    ;;
node)
    if ! command -v node >/dev/null || ! command -v npm >/dev/null; then
        apt npm "Node.js with npm"
    fi
    ;;
python)
    # Debian has the part of venv that installs pip in a package of its own.
    python3 -c 'import venv, ensurepip' 2>/dev/null || apt python3-venv "Python 3 with venv"
    ;;
redis)
    # Tests start their own, on free ports.
    command -v redis-server >/dev/null || apt redis-server "Redis"
    ;;
haproxy)
    command -v haproxy >/dev/null || apt haproxy "HAProxy"
    ;;
chromium)
    command -v chromium >/dev/null || apt chromium "Chromium"
    ;;
*)
    echo "setup: unknown part $1" >&2
    exit 2
    ;;
esac
