"""What an editor and a notebook are given: it agrees with the project, and names nothing that does not exist."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator

import pytest
from packaging.specifiers import SpecifierSet

from tests.template.assembly import Assembly, File
from tests.template.combinations import Combination, load_yaml

EXTENSIONS = {
    "charliermarsh.ruff": "ruff",
    "EditorConfig.EditorConfig": "",
    "ms-python.mypy-type-checker": "mypy",
    "ms-python.python": "pytest",
    "ms-toolsai.jupyter": "ipykernel",
}
"""The extensions, by publisher and name as in their package.json, with the package that each takes from the project."""
SETTINGS = {
    "[python]",
    "mypy-type-checker.importStrategy",
    "notebook.codeActionsOnSave",
    "notebook.formatOnSave.enabled",
    "python.defaultInterpreterPath",
    "python.testing.pytestEnabled",
}
"""The settings, as the documentation of VS Code and the package.json of the extensions have them."""
IMAGE = re.compile(r"mcr\.microsoft\.com/devcontainers/python:3-(3\.\d+)-trixie")
"""The images of github.com/devcontainers/images: the third version of those for Python, on Debian 13."""

Project = tuple[Combination, dict[str, File]]


def with_answer(assembly: Assembly, question: str, *patterns: str) -> Iterator[Project]:
    """Yield each distinct set of files that match, of projects where *question* is not answered with none."""
    found = assembly.subtrees(*patterns, "pyproject.toml")
    yield from ((c, files) for c, files in found if c.answers[question] != "none")


@pytest.fixture(scope="module")
def editors(assembly: Assembly) -> list[Project]:
    """Return what an editor is given in each project."""
    return list(with_answer(assembly, "editor", ".vscode/*", ".devcontainer/*", "Dockerfile"))


@pytest.fixture(scope="module")
def notebooks(assembly: Assembly) -> list[Project]:
    """Return the notebook of each project, and what belongs to it."""
    return list(with_answer(assembly, "notebooks", "*.ipynb", "tests/test_notebook.py", ".pre-commit-config.yaml"))


@pytest.mark.parametrize(
    ("question", "patterns"),
    [("editor", (".vscode/*", ".devcontainer/*")), ("notebooks", ("*.ipynb", "tests/test_notebook.py"))],
)
def test_what_is_not_chosen_is_not_there(question: str, patterns: tuple[str, ...], assembly: Assembly) -> None:
    found = list(assembly.subtrees(*patterns))
    assert found
    assert all(combination.answers[question] != "none" for combination, _ in found)


def test_extensions_are_those_that_the_project_has_a_use_for(editors: list[Project]) -> None:
    assert editors
    for combination, files in editors:
        recommended = json.loads(files[".vscode/extensions.json"].content)["recommendations"]
        container = json.loads(files[".devcontainer/devcontainer.json"].content)
        assert container["customizations"]["vscode"]["extensions"] == recommended
        taken = {EXTENSIONS[extension] for extension in recommended} - {""}
        assert taken <= set(packages(files))
        assert ("ipykernel" in taken) == (combination.answers["notebooks"] == "jupyter")


def test_settings_are_known_and_lead_to_the_environment_of_the_project(editors: list[Project]) -> None:
    for combination, files in editors:
        settings = json.loads(files[".vscode/settings.json"].content)
        assert settings.keys() <= SETTINGS
        assert settings["python.defaultInterpreterPath"] == "${workspaceFolder}/.venv/bin/python"
        recommended = json.loads(files[".vscode/extensions.json"].content)["recommendations"]
        assert settings["[python]"]["editor.defaultFormatter"] in recommended
        about_notebooks = {name for name in settings if name.startswith("notebook.")}
        assert bool(about_notebooks) == (combination.answers["notebooks"] == "jupyter")


def test_the_container_has_a_python_that_the_project_takes(editors: list[Project]) -> None:
    seen = set()
    for _, files in editors:
        container = json.loads(files[".devcontainer/devcontainer.json"].content)
        image = IMAGE.fullmatch(container["image"])
        assert image, container["image"]
        pyproject = tomllib.loads(files["pyproject.toml"].content.decode())
        assert SpecifierSet(pyproject["project"]["requires-python"]).contains(f"{image[1]}.0")
        if "Dockerfile" in files:
            seen.add(image[1])
            assert re.findall(r"^FROM python:(\d+\.\d+)\.", files["Dockerfile"].content.decode(), re.M) == [image[1]]
    assert seen, "an editor is offered with an image, too"


def test_the_container_installs_what_the_project_installs(editors: list[Project]) -> None:
    for _, files in editors:
        commands = json.loads(files[".devcontainer/devcontainer.json"].content)["postCreateCommand"].split(" && ")
        assert commands == ["pipx install uv", "uv sync", "uv run pre-commit install"]
        assert "pre-commit" in packages(files)


def test_a_notebook_has_no_outputs_and_cells_of_lasting_names(notebooks: list[Project]) -> None:
    assert notebooks
    for _, files in notebooks:
        notebook = json.loads(files["explore.ipynb"].content)
        names = [cell["id"] for cell in notebook["cells"]]
        assert len(set(names)) == len(names)
        assert [cell["id"] for cell in notebook["cells"] if cell.get("outputs") or cell.get("execution_count")] == []
        assert (
            files["explore.ipynb"].content.decode()
            == json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n"
        ), "as Jupyter and nbstripout write it"


def test_a_notebook_is_executed_checked_and_stripped(notebooks: list[Project]) -> None:
    for _, files in notebooks:
        assert 'parents[1] / "explore.ipynb"' in files["tests/test_notebook.py"].content.decode()
        (config,) = load_yaml(files[".pre-commit-config.yaml"].content.decode())
        hooks = {hook["id"]: hook for repository in config["repos"] for hook in repository["hooks"]}
        assert [name for name, hook in hooks.items() if "jupyter" in hook.get("types_or", hook.get("types", []))] == [
            "nbstripout",
            "ruff-check",
            "ruff-format",
        ]
        assert "nbstripout" in packages(files)


def packages(files: dict[str, File]) -> Iterator[str]:
    """Yield the names of all packages in the groups that are installed by default."""
    pyproject = tomllib.loads(files["pyproject.toml"].content.decode())
    for group in pyproject["tool"]["uv"]["default-groups"]:
        for line in pyproject["dependency-groups"][group]:
            if isinstance(line, str):
                yield re.split(r"[\[<>=]", line)[0]
