"""STT-MTJ true randomness for generative AI: arXiv 2510.01598 (2025)."""
