"""Rules of `copier.yml` and of what must agree with it."""

from __future__ import annotations

import ast
import keyword
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.conftest import Copier
from tests.template.assembly import Assembly
from tests.template.combinations import Question, Template

NEEDS_TRUST = {"_tasks", "_migrations", "_jinja_extensions"}

IGNORED_BY_HABIT = """
    artifacts bin build bundles cache dist docs downloads eggs env htmlcov lib logs mlruns models node_modules out
    outputs predictions reports runs sdist site snapshots target tmp var venv wheels
"""
"""Names that .gitignore files hold and that could be a package's."""


@pytest.fixture(scope="module")
def reserved(template: Template) -> dict[str, set[str]]:
    """Return the names in partials/reserved.jinja by group."""
    module = template.environment.get_template("partials/reserved.jinja").module
    return {group: set(getattr(module, group)) for group in ("keywords", "standard_library", "devices", "dependencies")}


@pytest.fixture(scope="module")
def project(copier: Copier, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the default project."""
    return copier.copy(tmp_path_factory.mktemp("rules") / "project")


def askable(template: Template) -> list[Question]:
    """Return the questions that somebody may be asked."""
    return [question for question in template.questions if not question.computed]


def test_nothing_needs_trust(template: Template) -> None:
    assert not NEEDS_TRUST & template.config.keys()


def test_an_undefined_name_is_an_error(template: Template) -> None:
    assert template.config["_envops"]["undefined"] == "jinja2.StrictUndefined"


def test_what_installers_leave_behind_is_excluded_and_nothing_else(template: Template) -> None:
    # A condition in _exclude is applied to the old version as well, and an update then conflicts with itself.
    assert set(template.config["_exclude"]) == {"__pycache__", "*.pyc", ".DS_Store"}


def test_every_question_is_a_sentence_with_a_default(template: Template) -> None:
    for question in askable(template):
        text = question.spec.get("help", "")
        assert re.match(r"[A-Z].*\?( \(.+\))?\Z", text), f"{question.name}: {text!r} is not a question"
        assert question.default is not None, question.name


def test_every_choice_says_what_it_brings(template: Template) -> None:
    for question in askable(template):
        choices = question.spec.get("choices", {})
        assert isinstance(choices, dict), f"{question.name}: its choices need labels"
        for label in choices:
            assert re.match(r".+: .+", label), f"{question.name}: {label!r} does not say what it brings"


def test_the_readme_tells_what_was_proven_of_each_choice(template: Template, template_repo: Path) -> None:
    section = (template_repo / "README.md").read_text("utf-8").split("## Proof")[1].split("\n## ")[0]
    rows = [line for line in section.splitlines() if "✓" in line]
    told = {cell.strip() for row in rows for cell in row.split("|")} - {""}
    offered = {label.partition(":")[0] for q in template.questions for label in q.spec.get("choices", {})}
    assert offered - {"None"} <= told


def test_every_default_is_a_choice(template: Template) -> None:
    defaults = template.answer({}).answers
    for question in askable(template):
        if question.choices:
            assert defaults[question.name] in [choice.value for choice in question.choices], question.name


def test_every_choice_can_be_made_with_the_defaults_of_all_else(template: Template) -> None:
    for question in askable(template):
        for choice in question.choices:
            assert template.accepts({question.name: choice.value}), f"{question.name}={choice.value}"


def test_at_most_eleven_questions(template: Template) -> None:
    assert len(askable(template)) <= 11


def test_patterns_end_where_the_text_ends(template: Template, template_repo: Path) -> None:
    """`$` also matches before a last newline, so a name with one would pass."""
    partials = [path for path in (template_repo / "partials").rglob("*") if path.is_file()]
    texts = [(path.name, path.read_text(encoding="utf-8")) for path in partials]
    texts += [(question.name, text) for question in template.questions for text in question.expressions]
    for where, text in texts:
        tokens = template.environment.lex(text)
        for pattern in (literal.replace("\\\\", "\\") for _, kind, literal in tokens if kind == "string"):
            outside_classes = re.sub(r"\[(?:[^\]\\]|\\.)*\]", "[]", pattern)
            assert not {"$", "^"} & set(outside_classes), f"{where}: use \\A and \\Z in {pattern}"


def test_line_endings_do_not_depend_on_the_machine(template_repo: Path, project: Path) -> None:
    for folder in (template_repo, project):
        assert "* text=auto eol=lf" in (folder / ".gitattributes").read_text(encoding="utf-8").splitlines()


def test_reserved_names_cover_python(reserved: dict[str, set[str]]) -> None:
    public = {name.lower() for name in sys.stdlib_module_names if not name.startswith("_")}
    assert public - reserved["standard_library"] == set()
    assert {word.lower() for word in keyword.kwlist} - reserved["keywords"] == set()


def test_reserved_names_cover_what_a_project_depends_on(assembly: Assembly, reserved: dict[str, set[str]]) -> None:
    listed = []
    for pyproject in (tomllib.loads(f.content.decode()) for _, f in assembly.distinct() if f.path == "pyproject.toml"):
        table, groups = pyproject["project"], pyproject["dependency-groups"]
        listed += [table["dependencies"], *table.get("optional-dependencies", {}).values()]
        listed += [[line for line in group if isinstance(line, str)] for group in groups.values()]
        listed += [pyproject["build-system"]["requires"]]
    assert listed
    distributions = {canonicalize_name(Requirement(line).name) for lines in listed for line in lines}
    # A project of a distribution's name would depend on itself.
    assert {name.replace("-", "_") for name in distributions} - reserved["dependencies"] == set()


def test_reserved_names_cover_what_a_project_imports(project: Path, reserved: dict[str, set[str]]) -> None:
    package = next(path.name for path in (project / "src").iterdir())
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in project.rglob("*.py")]
    imported: set[str] = set()
    for node in (node for tree in trees for node in ast.walk(tree)):
        match node:
            case ast.Import():
                imported |= {alias.name.partition(".")[0] for alias in node.names}
            case ast.ImportFrom(module=str(module), level=0):
                imported.add(module.partition(".")[0])
    ours = {path.stem for path in project.rglob("*.py")} | {package}
    others = {name.lower() for name in imported - sys.stdlib_module_names - ours}
    assert others - reserved["dependencies"] == set()


def test_no_package_lands_where_git_looks_away(template: Template, project: Path) -> None:
    packages = [name for name in IGNORED_BY_HABIT.split() if template.accepts({"project_name": name})]
    assert packages
    subprocess.run(["git", "init", "--quiet"], cwd=project, check=True)
    command = ["git", "check-ignore", *(f"src/{package}/cli.py" for package in packages)]
    assert subprocess.run(command, cwd=project, check=False, capture_output=True).stdout == b""
