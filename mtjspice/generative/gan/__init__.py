"""Generative adversarial networks fed with bits: latents, generators, duplicates among images, and what they tell."""
