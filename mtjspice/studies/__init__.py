"""Running circuits many times: calibration, switching curves, word operation."""
