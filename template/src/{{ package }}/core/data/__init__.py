"""The data: validated, kept as snapshots, and split."""
