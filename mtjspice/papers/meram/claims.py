"""What the paper on MeRAM noise claims. Its full text was not at hand: abstract, opening and summaries were."""

from mtjspice.papers.findings import Claim, Origin

CLOSER_WITH_STEPS = Claim(
    text="the noise gets closer to a standard Gaussian with more iterations",
    place="on the Markov chain",
    origin=Origin.SUMMARY,
)
