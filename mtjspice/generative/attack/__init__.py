"""Attacks on random numbers through the images that a generator made of them.

The attacker sees published images and knows how they were made (A. Kerckhoffs 1883: generator, kind of the source, how
bits become latents), but no bit of the source. The latents are found by inversion of the generator, the bits by
rounding to words, the state of the source by linear algebra or by trying all seeds; then all later bits are predicted.
That an attack fails does not mean that a source is secure.
"""
