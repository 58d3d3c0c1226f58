"""How long the image of the service takes from its start to its first answer, against a bare Python in the same image.

CPU time is what it takes where nothing else is running; wall time says how busy this machine is, too.

    sudo python bench/image.py [--rounds 10]

Needs what `.ci/tools` installs, and root. The bundle lies on the disk; the network would be another matter.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import tempfile
import time
from collections import defaultdict
from pathlib import Path

from tests.proof.project import Project
from tests.proof.shipping.images import SHARED, Image, Store
from tests.proof.shipping.web import answers, free_port

NAME = "churn"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=10)
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        subprocess.run(["mlscaffold", "new", "--defaults", f"{folder}/{NAME}"], check=True, stdout=subprocess.DEVNULL)
        project = Project(Path(folder, NAME), NAME)
        project("pipeline")
        (bundle,) = (project.folder / "artifacts/store/bundles").iterdir()
        image = Store(SHARED).build(project.folder, f"localhost/{NAME}")
        times: dict[str, list[float]] = defaultdict(list)
        for _ in range(rounds):
            times["bare Python"].append(bare(image))
            for path in ("/healthz", "/readyz"):
                wall, cpu = first_answer(image, bundle, path)
                times[path].append(wall)
                times[f"{path}, CPU"].append(cpu)
    floor = statistics.median(times["bare Python"])
    for name, seconds in times.items():
        median = statistics.median(seconds)
        print(f"{name:<14} {median:.2f} s (from {min(seconds):.2f} to {max(seconds):.2f}), {median / floor:.1f}×")


def bare(image: Image) -> float:
    """Return the seconds until a container that only starts Python has ended."""
    with image.run(entrypoint=["python", "-c", "pass"]) as container:
        container.process.wait()
        return time.perf_counter() - container.began


def first_answer(image: Image, bundle: Path, path: str) -> tuple[float, float]:
    """Return the seconds from the start of a container to the first 200, and how many of them it was computing."""
    port, place = free_port(), f"/model/{bundle.name}"
    command = ("serve", "--host", "127.0.0.1", "--port", str(port))
    with image.run(*command, env={"MODEL_URI": place}, mounts={bundle: place}) as container:
        while not answers(port, path):
            time.sleep(0.01)
        wall = time.perf_counter() - container.began
        ticks = Path(f"/proc/{container.pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[11:13]
        return wall, sum(map(int, ticks)) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
