"""Bits for other programs: NumPy, torch, pipes."""
