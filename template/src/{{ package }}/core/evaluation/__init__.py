"""Evaluation: metrics with intervals, the gate, and the model card."""
