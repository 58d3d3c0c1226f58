"""Releases, and the smoke test of a running service."""
