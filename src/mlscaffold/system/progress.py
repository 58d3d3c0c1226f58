"""How what is done tells about it, without knowing who listens."""

from collections.abc import Callable
from contextlib import AbstractContextManager

Step = Callable[[str], AbstractContextManager[object]]
"""Shows what is being done while it is being done."""

Warn = Callable[[str], None]
"""Tells, in one sentence, what was left out and what to do about it."""
