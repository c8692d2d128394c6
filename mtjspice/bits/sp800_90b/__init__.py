"""SP 800-90B: min-entropy estimates, the tests of the IID track, restart tests and health tests."""
