"""Generate production-ready ML repositories, and keep them up to date with their template."""

__version__ = "0.1.0"
