"""The command line: one thin command per use."""

from mtjspice.cli import circuit, device, study  # their commands register with the app
from mtjspice.cli.app import app, main

__all__ = ["app", "circuit", "device", "main", "study"]
