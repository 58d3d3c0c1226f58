"""What `schema.py` need not say."""

from ... import schema

MISSING: tuple[str, ...] = getattr(schema, "MISSING", ("",))
GROUP: str | None = getattr(schema, "GROUP", None)
TIME: str | None = getattr(schema, "TIME", None)
CHANGEABLE: tuple[str, ...] = getattr(schema, "CHANGEABLE", ())
PROTECTED: tuple[str, ...] = getattr(schema, "PROTECTED", ())
