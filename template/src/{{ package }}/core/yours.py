"""Your code, where it goes wrong: an exception as one sentence that names the file and the line."""

import difflib
import importlib
import traceback
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .errors import ProjectError

PACKAGE = __name__.partition(".")[0]
FOLDER = Path(__file__).parents[1]


def load(name: str) -> Any:
    """Import one of your modules.

    Raises:
        ProjectError: it cannot be imported; says where, and why.
        ModuleNotFoundError: it needs a package that is not installed.
    """
    try:
        return importlib.import_module(f"{PACKAGE}.{name}")
    except Exception as error:
        if isinstance(error, ModuleNotFoundError) and str(error.name).partition(".")[0] != PACKAGE:
            raise
        raise ProjectError(describe(error)) from error


def describe(error: Exception) -> str:
    """Return what went wrong, with the place in your code that led there."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{show(Path(error.filename))}:{error.lineno}: {error.msg}"
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_yours(Path(frame.filename))]
    said = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
    return f"{show(Path(frames[-1].filename))}:{frames[-1].lineno}: {said}" if frames else said


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Return a question that offers the name which was probably meant, or nothing."""
    close = difflib.get_close_matches(name, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def show(path: Path) -> str:
    """Return a path as short as it can be."""
    return str(path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path)


def _is_yours(path: Path) -> bool:
    return path.is_relative_to(FOLDER) and not path.is_relative_to(FOLDER / "core")
