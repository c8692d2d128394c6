"""What the bits are for: Gaussian words, diffusion noise, latent codes."""
