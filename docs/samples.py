"""Run the projects that the explorer shows as samples: `uv run python -m docs.samples`. It takes minutes.

Each is made, trained and asked for an explanation by its own commands in an empty folder. What they left is kept in
`docs/explorer/samples/`, file by file as they wrote it, but for what is no text.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from rich.text import Text

from docs.explorer.samples import DESCRIPTION, FOLDER
from docs.terminal import run_in_terminal
from mlscaffold import __version__

TERMINAL = "terminal.txt"
"""The file of a sample with what its commands printed."""


@dataclass(frozen=True)
class Sample:
    """A project that is run; *name* is also its folder's, *title* is for people."""

    name: str
    title: str
    answers: Mapping[str, str]

    @property
    def commands(self) -> Iterator[tuple[str, list[str], str]]:
        """Yield what is shown after the prompt, what is run, and in which folder."""
        given = [f"--set={name}={value}" for name, value in self.answers.items()]
        shown = "".join(f" --set {name}={value}" for name, value in self.answers.items())
        new = [sys.executable, "-m", "mlscaffold", "new", self.name, "--defaults", *given]
        yield f"mlscaffold new {self.name} --defaults{shown}", new, "."
        for command in ("pipeline", "explain"):
            yield f"uv run {self.name} {command}", ["uv", "run", "--quiet", self.name, command], self.name


SAMPLES = (
    Sample("credit-risk", "Credit risk", {}),
    Sample("word-topics", "Word topics", {"task": "text_classification", "cloud": "aws"}),
    Sample("home-sales", "Home sales", {"task": "forecasting", "cloud": "gcp", "ci": "gitlab"}),
)


def record(sample: Sample, folder: Path) -> None:
    """Run a sample's commands, and write what they left into *folder*, which is replaced."""
    with tempfile.TemporaryDirectory() as place:
        printed = []
        for shown, command, where in sample.commands:
            printed.append(f"$ {shown}\n{Text.from_ansi(run_in_terminal(command, Path(place, where))).plain}\n")
        shutil.rmtree(folder, ignore_errors=True)
        for path in sorted(Path(place, sample.name, "artifacts/store").rglob("*")):
            if path.suffix in (".json", ".md", ".svg"):
                target = folder / path.relative_to(Path(place, sample.name))
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(path, target)
    description = {
        "title": sample.title,
        "answers": {"project_name": sample.name, **sample.answers},
        "date": date.today().isoformat(),
        "version": __version__,
    }
    (folder / DESCRIPTION).write_text(json.dumps(description, indent=2) + "\n", "utf-8")
    (folder / TERMINAL).write_text("\n".join(printed), "utf-8")


if __name__ == "__main__":
    for each in SAMPLES:
        record(each, FOLDER / each.name)
