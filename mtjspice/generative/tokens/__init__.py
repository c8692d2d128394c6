"""Sampling of tokens from a language model with random bits: how many a token takes, and what bad ones cost."""
