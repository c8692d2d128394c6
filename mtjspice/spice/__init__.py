"""Engines and their discovery, decks, running and co-simulation; knows no particular circuit."""
