"""SP 800-22: the fifteen tests of NIST's statistical test suite."""
