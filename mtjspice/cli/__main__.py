"""``python -m mtjspice.cli``."""

from mtjspice.cli import main

main()
