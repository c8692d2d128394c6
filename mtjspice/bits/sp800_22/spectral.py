"""The discrete Fourier transform test (section 2.6)."""

import math

from scipy.fft import rfft

from mtjspice.bits.sp800_22 import kernels
from mtjspice.bits.sp800_22.result import Finding
from mtjspice.bits.sp800_22.settings import Constants, Settings

SHORTEST = 4  # bits, for one power in the exact statistic with a variance above 0


def dft(bits: kernels.Bits, settings: Settings, constants: Constants) -> Finding:
    """Section 2.6: are there as many high peaks in the spectrum as there should be.

    For x = +-1 independent, F_k = sum_t x_t exp(-2 pi i k t / n) and 0 < k < n/2 the power P_k = |F_k|^2 / n is
    exponential with mean 1 for large n, so that it is below ln 20 with the probability 0.95. STS takes the number
    N1 of such powers among k = 0 ... n/2 - 1 as normal with the variance n (0.95)(0.05) / 4, half of that of
    independent powers: by Parseval they add up to a constant. That is 5 % too little, and p-values are not uniform.
    The fourth cumulant of x is -2, hence cov(P_j, P_k) = -2/n. The indicator of P < ln 20 has the Laguerre
    coefficient E[(1 - P) 1(P < ln 20)] = 0.05 ln 20 along 1 - P; two indicators therefore have the covariance
    -(2/n) (0.05 ln 20)^2 up to order 1/n^2, and for B powers

        var N1 = B [0.95 0.05 - 2 (B - 1) / n (0.05 ln 20)^2],

    about n (0.95)(0.05) / 3.790 (F. Pareschi, R. Rovatti and G. Setti, IEEE Trans. Inf. Forensics Security 7 (2012)
    491-505, give 3.8). The exact constants use this and leave out k = 0, the square of the frequency
    test's statistic, whose law is another; E N1 = 0.95 B then, up to 0.04 for every n.
    """
    n = bits.size
    signs = bits * 2.0
    signs -= 1.0
    spectrum = rfft(signs, overwrite_x=True)
    if constants == "exact":
        powers = (n - 1) // 2
        logarithm = math.log(20)
        below = kernels.powers_below(spectrum, 1, powers + 1, logarithm * n)
        expected = 0.95 * powers
        variance = powers * (0.95 * 0.05 - 2 * (powers - 1) / n * (0.05 * logarithm) ** 2)
    else:
        below = kernels.powers_below(spectrum, 0, n // 2, 2.995732274 * n)
        expected = 0.95 * n / 2
        variance = n / 4 * 0.95 * 0.05
    p = math.erfc(abs(below - expected) / math.sqrt(2 * variance))
    return Finding((p,), ("",), {"peaks_below": below, "expected": expected, "variance": variance})
