"""Neural stochastic differential equations whose noise is drop-connect: probabilistic differential pairs of junctions.

The cell is that of IEDM 2024 (T. Xiao, J. Hou et al.): a data bit and a P-bit in one differential pair, so that the
noise of a reverse diffusion comes from the weights (in situ) instead of from numbers that are added (ex situ).
"""
