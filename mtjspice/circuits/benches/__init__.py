"""Test benches: what is measured on the circuits of the library, and how."""
