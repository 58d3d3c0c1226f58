"""What the shell offers after `--set`: the keys with their questions, the values with what they bring."""

import contextlib
import io
import os
from collections.abc import Collection, Iterator

from mlscaffold.errors import MlscaffoldError
from mlscaffold.template.questions import read_questions
from mlscaffold.template.source import find_template

_WIDE = "10000"  # columns; completion is read by a shell, which breaks lines itself


def list_candidates(incomplete: str, given: Collection[str]) -> Iterator[tuple[str, str]]:
    """Words that may stand in the place of an incomplete one, each with a few words on it.

    Args:
        incomplete: what was typed so far, such as "ta" or "task=".
        given: assignments that are on the line already.
    """
    try:
        asked = read_questions(find_template()).asked
    except MlscaffoldError:
        return  # the command itself will say so
    taken = {assignment.partition("=")[0] for assignment in given}
    for question in asked:
        if question.name in taken:
            continue
        words = {f"{question.name}={choice.value}": choice.label for choice in question.choices}
        for word, meaning in (words or {f"{question.name}=": question.help}).items():
            if word.startswith(incomplete):
                yield word, meaning


@contextlib.contextmanager
def adapt_shell() -> Iterator[None]:
    """Let what runs inside answer each shell in its own way: descriptions whole, and bash's words put together."""
    os.environ["COLUMNS"] = os.environ["TERMINAL_WIDTH"] = _WIDE
    if os.environ.get("_MLSCAFFOLD_COMPLETE") != "complete_bash":
        yield
        return
    start, equals = _join_words()
    reply = io.StringIO()
    try:
        with contextlib.redirect_stdout(reply):
            yield
    finally:
        for line in reply.getvalue().splitlines():
            print(line.removeprefix(f"{start}{equals}") if equals else line)


def _join_words() -> tuple[str, str]:
    """Undo that bash takes KEY=VALUE for three words; return what it already has of the last one."""
    words = os.environ.get("COMP_WORDS", "").split("\n")
    current = int(os.environ.get("COMP_CWORD", "0"))
    joined: list[str] = []
    for index, word in enumerate(words[: current + 1]):
        if joined and (word == "=" or words[index - 1] == "="):
            joined[-1] += word
        else:
            joined.append(word)
    os.environ["COMP_WORDS"] = "\n".join(joined)
    os.environ["COMP_CWORD"] = str(len(joined) - 1)
    start, equals, _ = joined[-1].partition("=")
    return start, equals
