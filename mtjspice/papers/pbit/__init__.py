"""In-situ P-bits for neural SDEs: Y. Xiao et al., IEDM 2024."""
