"""Where bits come from: simulated junctions, and the generators that they are compared with."""
