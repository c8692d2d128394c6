#!/usr/bin/env bash
# A headless browser and its driver, for the tests that open pages: installed with apt-get where they are missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/apt.sh
. scripts/apt.sh

if ! { command -v chromium && command -v chromedriver; } >/dev/null; then
    apt_install chromium chromium-driver ||
        { echo "error: chromium or chromedriver is missing; Debian: sudo apt install chromium chromium-driver," \
            "Ubuntu: sudo apt install chromium-browser chromium-chromedriver" >&2; exit 1; }
fi
