"""Answers given beforehand: what is refused, with which sentence, and what comes through unchanged."""

from __future__ import annotations

import json
import tomllib

import pytest

from tests.cli.conftest import QUICK, Cli, recorded


def test_an_unknown_key_is_refused_with_the_nearest_one(cli_inside: Cli) -> None:
    assert cli_inside.refuses("new", "churn", *QUICK, "--set", "desciption=x") == (
        "'desciption' is not a question of the template; `mlscaffold options` lists them all. Did you mean description?"
    )


def test_a_key_unlike_any_other_is_refused_without_a_guess(cli_inside: Cli) -> None:
    assert "Did you mean" not in cli_inside.refuses("new", "churn", *QUICK, "--set", "zzzz=x")


@pytest.mark.parametrize("key", ["package", "project_slug", "task_tabular_classification", "framework_sklearn"])
def test_a_computed_key_is_refused(cli_inside: Cli, key: str) -> None:
    assert cli_inside.refuses("new", "churn", *QUICK, "--set", f"{key}=.") == (
        f"'{key}' cannot be set: it is computed from other answers."
    )


@pytest.mark.parametrize("key", ["mlscaffold_origin", "_src_path_", "_copier_conf", "_commit"])
def test_what_would_forge_the_origin_is_refused(cli_inside: Cli, key: str) -> None:
    assert "is not a question" in cli_inside.refuses("new", "churn", *QUICK, "--set", f"{key}=x")


def test_an_invalid_choice_is_refused_with_those_allowed(cli_inside: Cli) -> None:
    complaint = cli_inside.refuses("new", "churn", *QUICK, "--set", "task=tabular_clasification")
    assert complaint.startswith("task cannot be 'tabular_clasification'; it must be ")
    assert complaint.endswith(" Did you mean tabular_classification?")


def test_nothing_is_looked_at_that_comes_after_a_refusal(cli: Cli, template_repo: object) -> None:
    """Answers are checked before Copier is even imported."""
    done = cli("new", "churn", *QUICK, "--set", "zzzz=x", code=1, PYTHONPROFILEIMPORTTIME="1")
    assert "| mlscaffold.template.questions" in done.stderr.replace("  ", "")
    assert "copier._main" not in done.stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("description: 2024\n", "description takes text, not 2024; put it in quotes."),
        ("description: yes\n", "description takes text, not True; put it in quotes."),
        ("description:\n", "description takes text, not None; put it in quotes."),
        ("task: [a]\n", "task takes text, not ['a']; put it in quotes."),
        ("1: x\n", "'1' is not a question of the template"),
        ("- a\n", "answers.yml has no `question: answer` lines."),
        ("", "answers.yml has no `question: answer` lines."),
        ("a: [\n", "The answers cannot be read from answers.yml: "),
        ("a: !!python/name:os.system\n", "The answers cannot be read from answers.yml: "),
        ("\x00", "The answers cannot be read from answers.yml: "),
        ("package: x\n", "'package' cannot be set"),
    ],
)
def test_a_file_of_answers_that_will_not_do(cli_inside: Cli, content: str, said: str) -> None:
    (cli_inside.cwd / "answers.yml").write_text(content, "utf-8")
    assert cli_inside.refuses("new", "churn", *QUICK, "--answers", "answers.yml").startswith(said)


@pytest.mark.parametrize(
    "arguments",
    [
        ("new",),
        ("new", "churn", "--set", "description"),
        ("new", "churn", "--answers", "missing.yml"),
        ("new", "churn", "--answers", "."),
        ("new", "churn", "extra"),
        ("new", "churn", "--nonsense"),
        ("nonsense",),
    ],
)
def test_wrong_usage_is_2(cli_inside: Cli, arguments: tuple[str, ...]) -> None:
    cli_inside(*arguments, code=2)
    assert not list(cli_inside.cwd.iterdir())


# ── Names ───────────────────────────────────────────────────────────────────────────────────────────────────────────
HOSTILE_NAMES = [
    "",
    "7up",
    "-churn",
    "_churn",
    "churn-",
    "import",
    "Class",
    "json",
    "Sys",
    "numpy",
    "scikit-learn/../..",
    "../churn",
    "a/b",
    "a\\b",
    "chürn",
    "churn\n",
    "churn\x00".replace("\x00", "\x1b"),
    "{{ 7 * 7 }}",
    "{% raw %}",
    "$(reboot)",
    "c" * 51,
    " churn",
    "churn ",
    "ＣＨＵＲＮ",  # noqa: RUF001
    "ch\u202eurn",
]


@pytest.mark.parametrize("name", HOSTILE_NAMES)
def test_a_name_that_is_no_package_is_refused(cli_inside: Cli, name: str) -> None:
    complaint = cli_inside.refuses("new", "churn", *QUICK, "--set", f"project_name={name}")
    assert complaint.startswith("project_name: ")


@pytest.mark.parametrize("name", ["7up", "import", "json", "chürn", "{{ 7 * 7 }}", "-churn"])
def test_so_is_a_folder_with_such_a_name(cli_inside: Cli, name: str) -> None:
    complaint = cli_inside.refuses("new", *QUICK, "--", name)
    assert complaint.startswith(f"{name!r} cannot be the project's name: ")
    assert complaint.endswith(" Or keep the folder and add --set project_name=NAME.")


# ── Text ────────────────────────────────────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "text", ["two\nlines", "tab\there", "bell\x07", "a\u2028b", "\u202eabc", "\ufeffx", " x", "x ", "x" * 121, "\udcff"]
)
def test_text_that_is_not_one_printable_line_is_refused(cli_inside: Cli, text: str) -> None:
    complaint = cli_inside.refuses("new", "churn", *QUICK, "--set", f"description={text}")
    assert complaint.startswith("description: ")
    assert complaint.isprintable()


@pytest.mark.parametrize(
    "text",
    ['"', "'", "\\", '"""', "{{ 7 * 7 }}", "{% raw %}", "# x: y", "@foo: *bar", "on", "null", "1e3", "${HOME}", "😀 é"],
)
def test_any_other_text_comes_through_unchanged(cli_inside: Cli, text: str) -> None:
    done = cli_inside("new", "churn", *QUICK, "--json", "--set", f"description={text}", "--set", f"author_name={text}")
    assert json.loads(done.stdout)["answers"]["description"] == text
    assert recorded(cli_inside.cwd / "churn")["description"] == text
    project = tomllib.loads((cli_inside.cwd / "churn/pyproject.toml").read_text("utf-8"))["project"]
    assert project["description"] == text
