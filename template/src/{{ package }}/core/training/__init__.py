"""Training: one run, its parity check, its tracking, and the search for parameters."""
