"""What `schema.py` need not say."""

from ... import schema

MISSING: tuple[str, ...] = getattr(schema, "MISSING", ("",))
