"""Bit streams and their diagnostics."""
