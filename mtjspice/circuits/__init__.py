"""Technologies, cells, words and test benches, as PySpice netlists."""
