"""Predictors of the next bit: trained on the first part of a stream, asked about the rest."""
