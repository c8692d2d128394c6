"""Extractors: fewer, better bits from many raw ones."""
