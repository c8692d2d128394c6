"""Write the ready-to-run decks of `netlists/`; `--check` only says whether they are what would be written."""

import sys
from pathlib import Path

from mtjspice.circuits import catalogue
from mtjspice.files import write_atomically

FOLDER = Path(__file__).resolve().parent.parent / "netlists"
# The decks refer to the model cards beside them, in a checkout as in an installed package.
MODELS = "../models/pdk/gf180mcu/typical.inc"


def wanted() -> dict[str, str]:
    """File name and text of every deck."""
    return {
        f"{name}.cir": catalogue.deck(catalogue.bench(name).testbench(), include=MODELS) for name in catalogue.ENTRIES
    }


def main() -> int:
    stale = []
    for name, text in wanted().items():
        path = FOLDER / name
        if "--check" in sys.argv[1:]:
            if not path.is_file() or path.read_text(encoding="utf-8") != text:
                stale.append(name)
        else:
            write_atomically(path, text)
    if stale:
        print(f"out of date: {', '.join(stale)}; run scripts/write_netlists.py", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
