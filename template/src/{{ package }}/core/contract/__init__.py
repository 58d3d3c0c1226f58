"""The contract of a model: its columns, its signature, and the decoder of requests."""
