"""Jinja, made to compile each text once."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_compiled: dict[Any, Any] = {}


@contextmanager
def compile_once() -> Iterator[None]:
    """Keep what Jinja compiles while the context lasts, and for the next one.

    Copier makes an environment for each project, compiles the parts of each path by themselves, and the name of the
    answers' file anew for each path: a third of what a project costs.
    """
    from jinja2 import Environment

    compile_text = Environment.compile

    def compile_unless_kept(self: Environment, source: Any, *options: Any, **named: Any) -> Any:
        if not isinstance(source, str):
            return compile_text(self, source, *options, **named)
        # There is one lexer for each syntax; the class tells whether the sandbox is on.
        key = (type(self), self.lexer, *self.extensions, source, options, *named.items())
        if key not in _compiled:
            _compiled[key] = compile_text(self, source, *options, **named)
        return _compiled[key]

    Environment.compile = compile_unless_kept  # type: ignore[method-assign]
    try:
        yield
    finally:
        Environment.compile = compile_text  # type: ignore[method-assign]
