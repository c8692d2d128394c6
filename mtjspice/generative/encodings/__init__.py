"""Encodings: how random bits become numbers that stand in for N(0, 1)."""
