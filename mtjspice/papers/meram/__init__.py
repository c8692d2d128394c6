"""MeRAM noise for diffusion models: K. Cheng et al., Nature Communications 16, 5022 (2025)."""
