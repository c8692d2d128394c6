"""SP 800-22: the fifteen tests of NIST's statistical test suite.

A. Rukhin et al., "A Statistical Test Suite for Random and Pseudorandom Number Generators for Cryptographic
Applications", NIST Special Publication 800-22 revision 1a (2010); section numbers here are those of that text. STS is
NIST's program, version 2.1.2. `suite` tests one sequence, `battery` many.
"""
