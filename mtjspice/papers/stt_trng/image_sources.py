"""Sources whose images are compared: shift registers, good generators, emulated junctions."""

from collections.abc import Mapping

JUNCTIONS = "emulated:fair,lanes=16,spread=0.1"
GENERATORS: Mapping[str, str] = {"MT19937": "mt19937", "PCG64": "pcg64", "ChaCha20": "chacha20"}
EMULATORS: Mapping[str, str] = {
    "junctions, raw": JUNCTIONS,
    "junctions, XOR of three": f"{JUNCTIONS}+xor:3",
    "junctions, Toeplitz": f"{JUNCTIONS}+toeplitz:1024,min-entropy=0.9",
}
SOURCES: Mapping[str, str] = {
    **{f"LFSR of {n}": f"lfsr:{n}" for n in (8, 10, 12, 16, 20, 32)},
    **{f"LFSR of 16, {k}-bit seed an image": f"lfsr:16+reseed:{k}" for k in (10, 12, 14)},
    **GENERATORS,
    **EMULATORS,
}
GOOD = (*GENERATORS, *EMULATORS)
EMULATED, PSEUDO = "junctions, XOR of three", "PCG64"
