"""Machine-learning repositories that train, pass a gate, serve and stay current."""

__version__ = "0.1.0"
