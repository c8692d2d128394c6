"""The command line: one thin command per use."""

from mtjspice.cli import bits, circuit, device, generative, study  # their commands register with the app
from mtjspice.cli.app import app, main

__all__ = ["app", "bits", "circuit", "device", "generative", "main", "study"]
