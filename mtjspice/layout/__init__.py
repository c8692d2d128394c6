"""Layouts of the circuits in gf180mcu: drawn from the same `Circuit` objects, checked, measured, fed back."""
