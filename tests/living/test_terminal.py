"""In a terminal: new questions are asked, and edits are lost after a yes only."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import in_clone, tree
from tests.cli.test_terminal import CTRL_C, ENTER, Terminal
from tests.cli.test_terminal import terminals as terminals  # the fixture
from tests.living.house import QUESTIONS, House, answers_of, lines, save


def test_new_questions_are_asked_and_losses_need_a_yes(
    house: House, project: Path, tmp_path: Path, terminals: list[Terminal]
) -> None:
    (project / "src/churn/old.py").write_text(lines("# old", at_3="# mine"), "utf-8")
    save(project)
    docs = 'docs: {type: str, help: "Which docs?", choices: ["mkdocs", "none"], default: none}\npackage:'
    house.release(
        "v2.0.0", {"copier.yml": QUESTIONS.replace("package:", docs, 1), "template/src/{{ package }}/old.py": None}
    )
    cli = in_clone(house.root, tmp_path)
    before = {path: state for path, state in tree(project).items() if not path.startswith(".git/")}
    for keys, code in (CTRL_C, 1), ("n" + ENTER, 6), (ENTER, 6), ("y" + ENTER, 0):
        terminals.append(terminal := Terminal(cli, "update", str(project)))
        terminal.wait_for("Which docs?", 60)
        assert "What is it called?" not in terminal.shown
        terminal.type(ENTER)
        terminal.wait_for("leave the edits in that file to git's history? [y/N]", 60)
        terminal.type(keys)
        assert terminal.end(60) == code, terminal.shown
        assert "Traceback" not in terminal.shown
        if code:
            now = {path: state for path, state in tree(project).items() if not path.startswith(".git/")}
            assert now == before
    assert answers_of(project)["docs"] == "none"
    assert not (project / "src/churn/old.py").exists()
