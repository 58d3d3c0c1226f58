"""An owner's own images: a folder of colours for each label, in another size, with an image in it that is broken."""

from __future__ import annotations

import base64
import json
import random
from pathlib import Path

import pytest

from tests.proof import tasks
from tests.proof.kinds import KINDS, name_of
from tests.proof.pairs.test_swap import prove, source
from tests.proof.project import Project

IMAGES = [kind for kind in KINDS if kind["task"] == "image_classification"]
SCHEMA = '''\
"""The contract."""

from .core.contract.columns import Column, Image, Pixels

ROW_ID: str | None = "path"
TARGET = "what is it?"
LABELS = ("Äpfel", "Birnen (reif)", "李子")
FAVOURABLE = "Äpfel"
MISSING = ("", "NA")

INPUTS: tuple[Column, ...] = (Image(name="image", description='A "fruit"', height=12, width=10, max_pixels=5_000),)
FEATURES: tuple[Column, ...] = (Pixels(name="pixels", height=12, width=10),)
AUDIT: tuple[Column, ...] = ()
SLICES: dict[str, tuple[float, ...]] = {}
'''
COLOURS = {"Äpfel": (200, 40, 40), "Birnen (reif)": (170, 190, 40), "李子": (90, 40, 160)}


def paint(rng: random.Random, label: str) -> bytes:
    """Return the file of an image of any size in about the colour of a label."""
    width, height = rng.randint(8, 40), rng.randint(8, 40)
    shade = rng.uniform(0.6, 1.2)
    pixels = (
        min(255, int(shade * (part + rng.gauss(0, 25)))) for _ in range(width * height) for part in COLOURS[label]
    )
    return base64.b64decode(tasks.make_png(width, height, bytes(max(0, value) for value in pixels)))


@pytest.mark.parametrize("project", IMAGES, ids=name_of, indirect=True)
def test_other_images_in_folders(project: Project, tmp_path: Path) -> None:
    copy = project.copy(tmp_path / "copy")
    rng = random.Random(0)
    for number in range(300):
        label = rng.choice(list(COLOURS))
        path = copy.folder / "data/photos" / label / f"{number}.PNG"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(paint(rng, label if rng.random() < 0.9 else rng.choice(list(COLOURS))))
    (copy.folder / "data/photos/Äpfel/broken.png").write_bytes(paint(rng, "Äpfel")[:60])
    (copy.package / "schema.py").write_text(SCHEMA, "utf-8")
    copy.parameters((f"source: {copy.source}", "source: data/photos"))
    told = copy.json("data")
    assert told["rows"] == 300
    assert [bad["reason"] for bad in told["bad"]] == ["A broken image"]
    photos = {name for name in copy.touched if name.startswith("data/photos/")}
    prove(copy, {"params.yaml", *photos, *source(copy, "schema.py")})
    (bundle,) = (copy.cwd / "artifacts/store/bundles").iterdir()
    assert not (bundle / "plots/worst_mistakes.svg").exists()  # for they are not `shown`
    assert json.loads((bundle / "parity.json").read_text("utf-8"))["max_difference"] < 1e-5
    assert copy.json("predict", "data/photos", "out")["invalid"] == 1
    with copy.served() as service:
        asked = [{"image": base64.b64encode(paint(rng, label)).decode()} for label in COLOURS for _ in range(3)]
        labels = [prediction["label"] for prediction in service.predict(asked)]
        wanted = [label for label in COLOURS for _ in range(3)]
        assert sum(label == right for label, right in zip(labels, wanted, strict=True)) >= 8
        status, answer = service.post({"instances": [{"image": tasks.make_png(100, 100, b"")}]})
        assert (status, answer["detail"][0]["msg"]) == (422, "An image of more than 5000 pixels")
        status, answer = service.post({"instances": [{"image": tasks.make_png(60, 60, b"")}] * 2})
        assert (status, answer["detail"][0]["loc"]) == (422, ["body", "instances", 1, "image"])
