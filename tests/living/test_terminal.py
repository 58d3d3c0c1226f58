"""In a terminal: what is not known is asked, and nothing is done, or lost, without a yes."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import git, in_clone, tree
from tests.cli.test_terminal import CTRL_C, ENTER, Terminal
from tests.cli.test_terminal import terminals as terminals  # the fixture
from tests.living.house import QUESTIONS, House, answers_of, repository


def test_new_questions_are_asked_and_nothing_is_done_without_a_yes(
    house: House, project: Path, tmp_path: Path, terminals: list[Terminal]
) -> None:
    docs = 'docs: {type: str, help: "Which docs?", choices: ["mkdocs", "none"], default: none}\npackage:'
    house.release(
        "v2.0.0", {"copier.yml": QUESTIONS.replace("package:", docs, 1), "template/src/{{ package }}/old.py": None}
    )
    cli = in_clone(house.root, tmp_path)
    before = {path: state for path, state in tree(project).items() if not path.startswith(".git/")}
    for keys, code in (CTRL_C, 1), ("n" + ENTER, 1), (ENTER, 0):
        terminals.append(terminal := Terminal(cli, "update", "-C", str(project)))
        terminal.wait_for("Which docs?", 60)
        assert "What is it called?" not in terminal.shown
        terminal.type(ENTER)
        terminal.wait_for("Apply this? [Y/n]", 60)
        terminal.type(keys)
        assert terminal.end(60) == code, terminal.shown
        assert "Traceback" not in terminal.shown
        if code:
            assert "othing was changed." in terminal.shown
            now = {path: state for path, state in tree(project).items() if not path.startswith(".git/")}
            assert now == before
    assert answers_of(project)["docs"] == "none"
    assert not (project / "src/churn/old.py").exists()


def test_adopting_asks_what_the_files_do_not_tell(house: House, tmp_path: Path, terminals: list[Terminal]) -> None:
    root = repository(tmp_path / "churn", {"pyproject.toml": '[project]\nname = "Churn"\n', "README.md": "mine\n"})
    cli = in_clone(house.root, tmp_path)
    before = git(root, "for-each-ref")
    for keys, code in (CTRL_C, 1), ("n" + ENTER, 1), (ENTER, 0):
        terminals.append(terminal := Terminal(cli, "adopt", "-C", str(root), "--set", "ci=none"))
        terminal.wait_for("Which cloud?", 60)
        terminal.type(ENTER)
        terminal.wait_for("Commit this to the branch mlscaffold/adopt? [Y/n]", 60)
        terminal.type(keys)
        assert terminal.end(60) == code, terminal.shown
        assert "Traceback" not in terminal.shown
        for question in "What is it called?", "Where does it run?":
            assert question not in terminal.shown
        if code:
            assert git(root, "for-each-ref") == before
    assert "cloud: aws" in git(root, "show", "mlscaffold/adopt:.copier-answers.yml")
