"""In a terminal: questions are asked, answers arrive, and Ctrl-C leaves nothing behind."""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, git, names, recorded

ENTER, CTRL_C, CTRL_U, DOWN = "\r", "\x03", "\x15", "\x1b[B"


class Terminal:
    """A process at a terminal of its own."""

    def __init__(self, cli: Cli, *arguments: str, **env: str) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*cli.command, *arguments],
            cwd=cli.cwd,
            env=cli.environment(TERM="xterm", COLUMNS="100", LINES="40", **env),
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            preexec_fn=_take_terminal,
        )
        os.close(slave)
        self.shown = ""

    def wait_for(self, text: str, seconds: float = 20) -> None:
        """Read until a text is on the screen."""
        seen = len(self.shown)
        until = time.monotonic() + seconds
        while text not in self.shown[seen:]:
            if not self._read(until):
                raise AssertionError(f"{text!r} did not appear in: {self.shown}")

    def type(self, keys: str) -> None:
        time.sleep(0.1)  # a Ctrl-C between a prompt and the read(2) behind it is lost, in any program
        os.write(self.master, keys.encode())

    def end(self, seconds: float = 30) -> int:
        """Read until the process ends and return its exit code."""
        until = time.monotonic() + seconds
        while self._read(until):
            pass
        return self.process.wait(5)

    def _read(self, until: float) -> bool:
        ready, _, _ = select.select([self.master], [], [], max(0, until - time.monotonic()))
        try:
            more = os.read(self.master, 65536) if ready else b""
        except OSError:  # how Linux says that nobody is at the other end any more
            return False
        if b"\x1b[6n" in more:
            os.write(self.master, b"\x1b[1;1R")  # "where is the cursor?"
        self.shown += re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", more.decode("utf-8", "replace"))
        return bool(more)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)


def _take_terminal() -> None:
    import fcntl
    import termios

    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    for number in (signal.SIGHUP, signal.SIGINT):  # ignored by whom a `nohup` or a script in the background has started
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture
def terminals() -> Iterator[list[Terminal]]:
    """Return a list; the terminals in it are closed at the end."""
    started: list[Terminal] = []
    yield started
    for terminal in started:
        terminal.close()


def test_what_was_not_given_is_asked_with_good_defaults(cli: Cli, terminals: list[Terminal]) -> None:
    terminals.append(terminal := Terminal(cli, "new", "churn", "--no-lock", "--set", "description=Given"))
    terminal.wait_for("Who is its author? Ada")
    terminal.type("Grace Hopper" + ENTER)
    terminal.wait_for("What is the author's email")
    terminal.type("grace" + ENTER)
    terminal.wait_for("must be an address")
    terminal.type(CTRL_U + ENTER)
    terminal.wait_for("What should the model do?")
    terminal.type(DOWN + ENTER)
    terminal.wait_for("What should the model do?  Tabular regression")
    terminal.wait_for("Which framework trains it?")
    terminal.type(ENTER)
    terminal.wait_for("What runs the service?")
    terminal.type(ENTER)
    terminal.wait_for("Which cloud")
    terminal.type(ENTER)
    terminal.wait_for("Which CI/CD system do you use?")
    terminal.type(ENTER)
    terminal.wait_for("Which editor should be set up?")
    terminal.type(ENTER)
    terminal.wait_for("Do you want a notebook?")
    terminal.type(DOWN + ENTER)
    assert terminal.end() == 0, terminal.shown
    assert "What does it do" not in terminal.shown
    assert "What is the project called?" not in terminal.shown
    answers = recorded(cli.cwd / "churn")
    assert answers["project_name"] == "churn"
    assert answers["description"] == "Given"
    assert answers["author_name"] == "Grace Hopper"
    assert answers["author_email"] == "ada@example.org"
    assert answers["task"] == "tabular_regression"
    assert (answers["editor"], answers["notebooks"]) == ("none", "jupyter")
    assert "Next:" in terminal.shown
    assert git(cli.cwd / "churn", "rev-list", "--count", "HEAD") == "1"


def test_a_folder_whose_name_will_not_do_asks_for_one(cli: Cli, terminals: list[Terminal]) -> None:
    given = ["description=x", "author_name=x", "author_email=", "task=tabular_classification", "framework=sklearn"]
    given += ["deploy=kubernetes", "cloud=none", "ci=none", "editor=none", "notebooks=none"]
    sets = [argument for assignment in given for argument in ("--set", assignment)]
    terminals.append(terminal := Terminal(cli, "new", "7up", "--no-lock", "--no-git", *sets))
    terminal.wait_for("'7up' cannot be the project's name: start with a letter")
    terminal.wait_for("What is the project called?")
    terminal.type("Seven up" + ENTER)
    assert terminal.end() == 0, terminal.shown
    assert recorded(cli.cwd / "7up")["project_name"] == "Seven up"


@pytest.mark.parametrize("option", ["--defaults", "--json"])
def test_these_options_ask_nothing(cli: Cli, terminals: list[Terminal], option: str) -> None:
    terminals.append(terminal := Terminal(cli, "new", "churn", "--no-lock", "--no-git", option))
    assert terminal.end() == 0, terminal.shown
    assert "What is" not in terminal.shown


@pytest.mark.parametrize("how", ["key", *(signal.Signals(n).name for n in (signal.SIGTERM, signal.SIGHUP))])
def test_stopped_at_a_question_it_leaves_nothing(cli: Cli, terminals: list[Terminal], how: str) -> None:
    terminals.append(terminal := Terminal(cli, "new", "churn"))
    terminal.wait_for("What does it do, in one sentence? A machine-learning model")
    if how == "key":
        terminal.type(CTRL_C)
    else:
        terminal.process.send_signal(signal.Signals[how])
    assert terminal.end() == 1, terminal.shown
    assert "Error: Stopped; nothing was written." in terminal.shown
    assert "Traceback" not in terminal.shown
    assert names(cli.cwd) == []


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_a_signal_that_comes_while_an_object_is_finalized_is_not_lost(name: str) -> None:
    """Python only prints what is raised there; a signal after the question's last draw came so once in fifty times."""
    script = f"""
        import os, signal, time
        from mlscaffold.system.signals import stop_politely

        class Finalized:
            def __del__(self):
                os.kill(os.getpid(), signal.{name})
                sum(range(1000))

        signal.signal(signal.{name}, signal.SIG_DFL)  # a `nohup` or a script in the background ignores it
        with stop_politely():
            try:
                Finalized()
                time.sleep(10)
            except KeyboardInterrupt:
                print("stopped")
        """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(script)], capture_output=True, text=True, check=True)
    assert (done.stdout, done.stderr) == ("stopped\n", "")


@pytest.mark.parametrize("how", ["key", "SIGTERM"])
def test_stopped_while_locking_it_leaves_nothing(cli: Cli, terminals: list[Terminal], tmp_path: Path, how: str) -> None:
    """The index accepts connections and never answers."""
    import socket

    with socket.create_server(("127.0.0.1", 0)) as silent:
        env = {
            "UV_OFFLINE": "",
            "UV_DEFAULT_INDEX": f"http://127.0.0.1:{silent.getsockname()[1]}/simple",
            "UV_CACHE_DIR": str(tmp_path / "cache"),
            "UV_NO_CONFIG": "1",
            "UV_FIND_LINKS": "",
            "UV_INDEX": "",
            "UV_EXTRA_INDEX_URL": "",
            "NO_PROXY": "127.0.0.1",
        }
        terminals.append(terminal := Terminal(cli, "new", "churn", "--defaults", **env))
        terminal.wait_for("Locking the versions of all packages")
        silent.accept()
        assert [name[:12] for name in names(cli.cwd)] == [".mlscaffold-"]
        if how == "key":
            terminal.type(CTRL_C)
        else:
            terminal.process.terminate()
        assert terminal.end() == 1, terminal.shown
    assert "Error: Stopped; nothing was written." in terminal.shown
    assert names(cli.cwd) == []
