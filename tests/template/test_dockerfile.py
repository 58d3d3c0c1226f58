"""The Dockerfile, by the tools that know its pitfalls, and what gets into an image, whatever was answered."""

from __future__ import annotations

import json
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import pytest

from tests.template.assembly import Assembly, File
from tests.tools import need

INPUTS = ("pyproject.toml", "params.yaml", "README.md", "src", "data")  # and uv.lock, which is not rendered
ELSEWHERE = {"deploy", "cloud", "ci"}
"""Questions that say where an image runs and who builds it, not what is in it."""
DESCRIPTION = "README.md"
"""It reaches an image as the package's description only, which nothing there reads, and it tells who builds it."""


def hadolint_problems(dockerfile: Path) -> Iterator[str]:
    """Yield what hadolint finds, of any severity."""
    command = [need("hadolint"), "--no-color", "--format=json", "--no-fail", str(dockerfile)]
    found = subprocess.run(command, check=True, capture_output=True, encoding="utf-8", cwd=dockerfile.parent)
    yield from (f"line {each['line']}: {each['code']} {each['message']}" for each in json.loads(found.stdout))


def checkov_problems(dockerfile: Path) -> Iterator[str]:
    """Yield which of checkov's checks fail."""
    command = [need("checkov"), "--file", str(dockerfile), "--framework=dockerfile", "--skip-download", "--output=json"]
    found = subprocess.run(command, check=False, capture_output=True, encoding="utf-8", cwd=dockerfile.parent)
    report = json.loads(found.stdout)
    assert report["summary"]["passed"], f"checkov has checked nothing: {found.stdout}{found.stderr}"
    yield from (f"{each['check_id']} {each['check_name']}" for each in report["results"]["failed_checks"])


@pytest.fixture(scope="module")
def dockerfiles(assembly: Assembly, tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return each distinct Dockerfile, in a folder of its own."""
    paths = []
    for _, tree in assembly.subtrees("Dockerfile"):
        path = tmp_path_factory.mktemp("dockerfile") / "Dockerfile"
        path.write_bytes(tree["Dockerfile"].content)
        paths.append(path)
    return paths


def test_hadolint_finds_nothing(dockerfiles: list[Path]) -> None:
    assert dockerfiles
    assert [problem for path in dockerfiles for problem in hadolint_problems(path)] == []


def test_checkov_finds_nothing(dockerfiles: list[Path]) -> None:
    assert [problem for path in dockerfiles for problem in checkov_problems(path)] == []


@pytest.mark.parametrize(
    ("text", "replacement", "sentence"),
    [
        ("python:3", "python AS other\nFROM python:3", "DL3006"),
        ("WORKDIR /app", "WORKDIR app", "DL3000"),
        ('CMD ["pipeline"]', "CMD pipeline", "DL3025"),
    ],
)
def test_hadolint_finds_a_planted_defect(dockerfiles: list[Path], text: str, replacement: str, sentence: str) -> None:
    assert any(sentence in problem for problem in hadolint_problems(altered(dockerfiles[0], text, replacement)))


@pytest.mark.parametrize(
    ("text", "replacement", "sentence"),
    [("HEALTHCHECK ", "LABEL health=", "CKV_DOCKER_2"), ("USER 10001:10001", "USER root", "CKV_DOCKER_8")],
)
def test_checkov_finds_a_planted_defect(dockerfiles: list[Path], text: str, replacement: str, sentence: str) -> None:
    assert any(sentence in problem for problem in checkov_problems(altered(dockerfiles[0], text, replacement)))


def altered(dockerfile: Path, text: str, replacement: str) -> Path:
    """Return a copy in which some text is replaced wherever it is."""
    content = dockerfile.read_text(encoding="utf-8")
    assert text in content
    copy = dockerfile.parent / "planted" / "Dockerfile"
    copy.parent.mkdir(exist_ok=True)
    copy.write_text(content.replace(text, replacement), encoding="utf-8")
    return copy


def test_every_base_image_has_an_exact_version_and_no_invented_digest(dockerfiles: list[Path]) -> None:
    for dockerfile in dockerfiles:
        lines = dockerfile.read_text(encoding="utf-8").splitlines()
        images = [line.split()[1] for line in lines if line.startswith("FROM ") and ":" in line]
        assert len(images) == 2
        assert all(image.partition(":")[2].count(".") == 2 and "@" not in image for image in images)


def test_only_what_is_named_gets_into_an_image(assembly: Assembly) -> None:
    for _, tree in assembly.subtrees(".dockerignore"):
        rules = [line for line in tree[".dockerignore"].content.decode().splitlines() if not line.startswith("#")]
        assert rules[0] == "*"
        assert {rule.strip("!/") for rule in rules if rule.startswith("!")} == {*INPUTS, "uv.lock"}


def test_an_image_is_the_same_on_every_cloud(assembly: Assembly) -> None:
    """So that it has to be built once only, to be proven for all of them."""
    contents: dict[tuple[object, ...], set[frozenset[File]]] = defaultdict(set)
    for combination in assembly.template.combinations:
        answers = tuple((name, value) for name, value in combination.asked.items() if name not in ELSEWHERE)
        files = [file for file in assembly.files(combination).values() if file.path != DESCRIPTION]
        contents[answers].add(frozenset(file for file in files if PurePosixPath(file.path).parts[0] in INPUTS))
    assert contents
    assert [answers for answers, different in contents.items() if len(different) > 1] == []
