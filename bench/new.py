"""How long `mlscaffold new` takes, against `copier copy` and against a template of nothing but the chosen layers.

    uv run python bench/new.py [--rounds 9]

What is offered and not chosen should cost nothing: so the default project is also made from a template that has only
its layers. All take turns, so that a busy machine is busy for all of them, and the processor's time is what counts; the
wall clock stands beside it.
"""

from __future__ import annotations

import argparse
import os
import statistics
import sys
import tempfile
from pathlib import Path

from update import ROOT, run, save, timed

from mlscaffold.template.layers import find_layers, stage_template
from mlscaffold.template.questions import read_questions
from mlscaffold.template.render import Template, settle_answers
from mlscaffold.template.source import Origin

BIN = Path(sys.executable).parent
WHO = ("-c", "user.name=Bench", "-c", "user.email=bench@example.org")
REACH = {"copier copy": 0.8, "mlscaffold new, chosen layers": 1.1}
"""How many times each of these may take, at most."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=9)
    rounds = parser.parse_args().rounds
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # else each start compiles all that it imports
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        place = Path(folder)
        every, chosen = prepare(place)
        new = [str(BIN / "mlscaffold"), "new", "--defaults", "--no-git", "--no-lock", "--template"]
        commands = {
            "mlscaffold new": [*new, str(every)],
            "mlscaffold new, chosen layers": [*new, str(chosen)],
            "copier copy": [str(BIN / "copier"), "copy", "--quiet", "--defaults", str(every)],
        }
        times: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
        for number in range(rounds + 1):  # the first round warms the caches and is not counted
            for name, command in commands.items():
                taken = timed([*command, str(place / f"churn-{number}-{len(name)}")])
                if number:
                    times[name].append(taken)
    ours = statistics.median(row[1] for row in times["mlscaffold new"])
    for name, rows in times.items():
        wall, cpu = (statistics.median(row[i] for row in rows) for i in (0, 1))
        reach = f"   `new` takes {ours / cpu:4.2f} × of it; reach: {REACH[name]} ×" if name in REACH else ""
        print(f"{name:30} processor {cpu:5.2f} s   wall {wall:6.2f} s{reach}")


def prepare(place: Path) -> tuple[Path, Path]:
    """Make repositories of the template: with every layer, and with those of the default answers."""
    template = Template(ROOT, read_questions(ROOT), Origin("bench", "v1.0.0"))
    layers = find_layers(ROOT, template.questionnaire.all_layers)
    answers = settle_answers(template, "churn", {}).everything
    every, chosen = place / "every", place / "chosen"
    stage_template(ROOT, every, ())
    stage_template(ROOT, chosen, {name for name in layers if answers[name] == ""})
    for repository in (every, chosen):
        run("git", "init", "-q", cwd=repository)
        save(repository, WHO, "v1.0.0")
    return every, chosen


if __name__ == "__main__":
    main()
