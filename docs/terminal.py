"""Record a real run as a picture: `uv run python -m docs.terminal PICTURE.svg`. It takes minutes.

What is shown is what the commands printed on a terminal of 92 columns. Their progress, on stderr, is left out, and of
an identifier of 64 digits the first twelve are shown.
"""

from __future__ import annotations

import io
import os
import pty
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich._export_format import CONSOLE_SVG_FORMAT
from rich.console import Console
from rich.terminal_theme import TerminalTheme
from rich.text import Text

WIDTH = 92
COMMANDS = (
    ("mlscaffold new churn --defaults", [sys.executable, "-m", "mlscaffold", "new", "churn", "--defaults"], "."),
    ("cd churn && uv run churn pipeline", ["uv", "run", "--quiet", "churn", "pipeline"], "churn"),
)
"""What is shown after the prompt, what is run, and in which folder."""

THEME = TerminalTheme(
    (20, 24, 29),
    (227, 232, 238),
    [(72, 79, 88), (255, 123, 114), (63, 185, 80), (210, 153, 34), (88, 166, 255), (188, 140, 255), (57, 197, 207)],
)
_IDENTIFIER = re.compile(r"\b([0-9a-f]{12})[0-9a-f]{52}\b")
_REMOTE_FONT = re.compile(r"@font-face \{\{.*?\}\}", re.DOTALL)  # no page of ours asks another server


def record(picture: Path) -> None:
    """Run the commands in a new folder, and write what they printed to *picture*."""
    console = Console(record=True, width=WIDTH, file=io.StringIO(), force_terminal=True)
    with tempfile.TemporaryDirectory() as folder:
        for shown, command, place in COMMANDS:
            console.print(Text.assemble(("$ ", "dim"), (shown, "bold")))
            console.print(Text.from_ansi(run_in_terminal(command, Path(folder, place))))
            console.print()
    form = _REMOTE_FONT.sub("", CONSOLE_SVG_FORMAT).replace("Fira Code", "DejaVu Sans Mono")
    svg = console.export_svg(title="mlscaffold", theme=THEME, code_format=form, unique_id="run")
    picture.write_text(svg, "utf-8")


def run_in_terminal(command: Sequence[str], place: Path) -> str:
    """Return what *command* prints to a terminal, with short identifiers. Raises ``CalledProcessError`` if it fails."""
    ours, theirs = pty.openpty()
    # TERM and COLUMNS: what a reader has. Without VIRTUAL_ENV, uv takes the new project's own.
    environment = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    environment |= {"TERM": "xterm-256color", "COLUMNS": str(WIDTH)}
    with subprocess.Popen(command, cwd=place, env=environment, stdout=theirs, stderr=subprocess.PIPE) as process:
        os.close(theirs)
        parts = []
        try:
            while part := os.read(ours, 65536):
                parts.append(part)
        except OSError:  # how Linux says that nobody writes to the terminal any more
            pass
        complaint = process.stderr.read().decode() if process.stderr else ""
    os.close(ours)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command, stderr=complaint)
    return _IDENTIFIER.sub(r"\1…", b"".join(parts).decode().replace("\r\n", "\n").strip("\n"))


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Usage: python -m docs.terminal PICTURE.svg")
    record(Path(sys.argv[1]))
