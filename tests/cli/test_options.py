"""`options`, `--help`, `--version`, completion: what tells about the questions, quickly."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

import mlscaffold
from tests.cli.conftest import Cli

CHOICES = ("Tabular regression", "Docker", "Google Cloud", "Azure Pipelines")


def asked(template: Path) -> dict[str, dict[str, object]]:
    """Return the questions of copier.yml that are asked."""
    content = yaml.safe_load((template / "copier.yml").read_text("utf-8"))
    return {
        name: details
        for name, details in content.items()
        if not name.startswith("_") and details.get("when") is not False
    }


def value_of(choice: object) -> object:
    """Return the value of a choice, which copier.yml may give together with a validator."""
    return choice["value"] if isinstance(choice, dict) else choice


def test_options_as_json_are_those_of_copier_yml(cli: Cli, template_repo: Path) -> None:
    questions = {entry["name"]: entry for entry in json.loads(cli("options", "--json").stdout)["questions"]}
    expected = asked(template_repo)
    assert list(questions) == list(expected)
    for name, details in expected.items():
        assert questions[name]["help"] == details["help"]
        assert questions[name]["default"] == {"cloud": "none"}.get(name, details["default"]), (
            "that of the default project"
        )
        choices = details.get("choices", {})
        assert isinstance(choices, dict)
        values = {f"{c['title']}: {c['brings']}": c["value"] for c in questions[name]["choices"]}
        assert values == {label: value_of(choice) for label, choice in choices.items()}


def test_options_show_questions_choices_and_what_they_bring(cli: Cli, template_repo: Path) -> None:
    lines = cli("options", COLUMNS="200").stdout.splitlines()
    shown = " ".join(" ".join(lines).split())
    for name, details in asked(template_repo).items():
        assert name in shown
        assert str(details["help"]) in shown
    assert "* tabular_classification Tabular classification: predict a label" in shown
    assert "* none None: any Kubernetes" in shown, "a default that depends on another answer"
    assert "* is the default" in shown
    columns = {line.index(choice) for line in lines for choice in CHOICES if f"  {choice}:" in line}
    assert len(columns) == 1, "what the choices bring stands in one column"


def test_the_version_is_that_of_the_package(cli: Cli) -> None:
    assert cli("--version").stdout == f"mlscaffold {mlscaffold.__version__}\n"
    assert cli("--version", "new").stdout == f"mlscaffold {mlscaffold.__version__}\n"


def test_help_names_the_commands_and_the_exit_codes(cli: Cli) -> None:
    shown = " ".join(cli("--help").stdout.split())
    assert all(word in shown for word in ("new", "options", "0 done", "1 refused", "2 wrong usage"))
    for option in ("--set", "--answers", "--defaults", "--dry-run", "--json", "--no-git", "--no-lock"):
        assert option in cli("new", "--help").stdout


@pytest.mark.parametrize(
    ("arguments", "env", "spared"),
    [
        (("--version",), {}, {"typer", "yaml", "copier", "rich", "json"}),
        (("--help",), {}, {"copier", "yaml"}),
        (("options",), {}, {"copier"}),
        ((), {"_MLSCAFFOLD_COMPLETE": "complete_zsh", "_TYPER_COMPLETE_ARGS": "mlscaffold new --set t"}, {"copier"}),
    ],
)
def test_what_is_not_needed_is_not_imported(
    cli: Cli, arguments: tuple[str, ...], env: dict[str, str], spared: set[str]
) -> None:
    done = cli.with_env(PYTHONPROFILEIMPORTTIME="1", **env)(*arguments)
    imported = {name.split(".")[0] for name in re.findall(r"\| +([\w.]+)$", done.stderr, re.MULTILINE)}
    assert "mlscaffold" in imported
    assert not imported & spared


# ── Completion ──────────────────────────────────────────────────────────────────────────────────────────────────────
def bash(cli: Cli, *words: str) -> list[str]:
    """Return what bash is offered for the last of the words on the line."""
    line = ("mlscaffold", *words)
    env = {"COMP_WORDS": "\n".join(line), "COMP_CWORD": str(len(line) - 1)}
    return cli.with_env(_MLSCAFFOLD_COMPLETE="complete_bash", **env)().stdout.split()


def test_bash_completes_keys(cli: Cli) -> None:
    assert bash(cli, "new", "--set", "auth") == ["author_name=", "author_email="]


def tasks(template_repo: Path) -> list[str]:
    """Return the choices of the question `task`, in their order."""
    choices = asked(template_repo)["task"]["choices"]
    assert isinstance(choices, dict)
    return [str(choice) for choice in choices.values()]


def test_bash_completes_values_at_once_where_there_are_choices(cli: Cli, template_repo: Path) -> None:
    assert bash(cli, "new", "--set", "task") == [f"task={task}" for task in tasks(template_repo)]


@pytest.mark.parametrize("words", [["update", "--set"], ["set"], ["set", "churn"], ["adopt", "--set"]])
def test_other_commands_complete_keys_and_values_too(cli: Cli, words: list[str]) -> None:
    assert bash(cli, *words, "auth") == ["author_name=", "author_email="]
    assert bash(cli, *words, "task", "=", "tabular_c") == ["tabular_classification"]
    given = [*words, "task", "=", "tabular_classification", *(["--set"] if "--set" in words else [])]
    assert "project_name=" in bash(cli, *given, "")
    assert not [word for word in bash(cli, *given, "") if word.startswith("task")]


def test_bash_which_splits_at_equals_signs_gets_what_comes_after(cli: Cli, template_repo: Path) -> None:
    assert bash(cli, "new", "--set", "task", "=") == tasks(template_repo)
    assert bash(cli, "new", "--set", "task", "=", "tabular_c") == ["tabular_classification"]
    assert bash(cli, "new", "--set", "task", "=", "zzz") == []


def test_keys_that_were_given_are_not_offered_again(cli: Cli) -> None:
    offered = bash(cli, "new", "--set", "task", "=", "tabular_classification", "--set", "")
    assert "project_name=" in offered
    assert not [word for word in offered if word.startswith("task")]


def test_computed_keys_are_not_offered(cli: Cli) -> None:
    assert bash(cli, "new", "--set", "pack") == []


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_what_a_choice_brings(cli: Cli, shell: str) -> None:
    env = {"_TYPER_COMPLETE_ARGS": "mlscaffold new --set task=", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
    offered = cli.with_env(_MLSCAFFOLD_COMPLETE=f"complete_{shell}", **env)().stdout
    assert "task=tabular_classification" in offered
    assert "predict a label" in offered


def test_descriptions_are_whole_and_each_on_one_line(cli: Cli, template_repo: Path) -> None:
    """However long they are, and however narrow the terminal is."""
    for name, details in asked(template_repo).items():
        choices = details.get("choices", {})
        assert isinstance(choices, dict)
        words = {f"{name}={value_of(choice)}": label for label, choice in choices.items()}
        env = {"_TYPER_COMPLETE_ARGS": f"mlscaffold set {name}=", "_TYPER_COMPLETE_FISH_ACTION": "get-args"}
        narrow = cli.with_env(COLUMNS="40", **env)
        fish = narrow.with_env(_MLSCAFFOLD_COMPLETE="complete_fish")().stdout.splitlines() if words else []
        assert fish == [f"{word}\t{label}" for word, label in words.items()]
        zsh = narrow.with_env(_MLSCAFFOLD_COMPLETE="complete_zsh")().stdout.splitlines() if words else []
        assert len(zsh) == len(words)
        for line, (word, label) in zip(zsh, words.items(), strict=True):
            assert f'"{word}":"{label.replace(":", chr(92) * 2 + ":")}"' in line
