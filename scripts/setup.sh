#!/usr/bin/env bash
# Set up .venv with this package and the simulator. Usage: scripts/setup.sh [EXTRAS], for example "dev".
# PYTHON chooses the interpreter. Running it again is quick: nothing is done twice.
set -euo pipefail
cd "$(dirname "$0")/.."

extras="${1:-}"
venv=.venv
stamp="$venv/.installed${extras:+-$extras}"

fail() {
    echo "error: $*" >&2
    exit 1
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# shellcheck source=scripts/apt.sh
. scripts/apt.sh

if ! [ -x "$venv/bin/python" ]; then
    python=
    for candidate in "${PYTHON:-python3}" python3.13 python3.12 python3.11; do
        if is_new_enough "$candidate"; then
            python="$candidate"
            break
        fi
    done
    [ -n "$python" ] || fail "Python 3.11 or newer is needed; install one and run: make PYTHON=/path/to/python3"
    if ! "$python" -c 'import ensurepip' 2>/dev/null; then
        version="$("$python" -c 'import sys; print("%d.%d" % sys.version_info[:2])')"
        apt_install "python$version-venv" || fail "$python cannot make virtual environments; run: sudo apt install python$version-venv"
    fi
    "$python" -m venv "$venv" || { rm -rf "$venv"; fail "$python -m venv $venv failed"; }
fi
is_new_enough "$venv/bin/python" || fail "$venv has a Python older than 3.11; remove it (rm -r $venv) and run this again"

if ! [ "$stamp" -nt pyproject.toml ]; then
    echo "installing mtjspice into $venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check -e ".${extras:+[$extras]}"
    touch "$stamp" "$venv/.installed" # with any extra, the plain package is there too
fi

# numba's cache of a compiled function knows the file of that function, not those of the functions it calls
newest="$(grep -rl --include='*.py' numba mtjspice | xargs ls -t | head -n 1)"
if [ -n "$(find mtjspice -name '*.nbi' ! -newer "$newest" -print -quit)" ]; then
    find mtjspice -name '*.nb[ic]' -delete
fi

missing() { # which of the two parts of ngspice are not found
    "$venv/bin/python" -c '
from mtjspice.errors import SimulatorError
from mtjspice.spice.engines import find_libngspice, find_ngspice
for package, find in (("ngspice", find_ngspice), ("libngspice0", find_libngspice)):
    try:
        find()
    except SimulatorError:
        print(package)'
}

packages="$(missing)"
if [ -n "$packages" ]; then
    # shellcheck disable=SC2086 # one word a package
    apt_install $packages || true
    packages="$(missing)"
    [ -z "$packages" ] || fail "not found: ${packages//$'\n'/, }; Debian/Ubuntu: sudo apt install ngspice libngspice0;" \
        "conda: conda install -c conda-forge ngspice ngspice-lib; macOS: brew install ngspice libngspice" \
        "(MTJSPICE_NGSPICE and MTJSPICE_LIBNGSPICE, where set, must name the files)"
fi
