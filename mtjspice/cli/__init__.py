"""The command line: one thin command per use."""

from mtjspice.cli import (  # their commands register with the app
    area,
    attack,
    bits,
    circuit,
    data,
    device,
    gan,
    generative,
    layout,
    reproduce,
    sde,
    study,
    tokens,
    words,
)
from mtjspice.cli.app import app, main

__all__ = [
    "app",
    "area",
    "attack",
    "bits",
    "circuit",
    "data",
    "device",
    "gan",
    "generative",
    "layout",
    "main",
    "reproduce",
    "sde",
    "study",
    "tokens",
    "words",
]
