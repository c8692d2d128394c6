"""Networks of PyTorch for images: a denoiser, a feature network, and how they are trained and kept."""
