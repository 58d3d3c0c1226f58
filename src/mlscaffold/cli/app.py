"""The commands, and how a process of ours begins and ends."""

import contextlib
import os
import sys
from typing import Annotated

import typer

from mlscaffold import __version__
from mlscaffold.cli import adopt, doctor, explore, new, options, screen, status, update
from mlscaffold.errors import MlscaffoldError
from mlscaffold.system.git import GitError, unset_git_environment
from mlscaffold.system.signals import stop_politely

app = typer.Typer(
    help="Generate production-ready ML repositories, and keep them up to date with their template.",
    epilog="Exit codes: 0 done; 1 refused or failed, one sentence on stderr says why; 2 wrong usage; 3 updated, with"
    " conflicts to resolve; 4 behind, or something is missing; 5 broken. The help of each command tells which it has.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def run() -> None:
    """Run `sys.argv` and end the process with a documented exit code."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # a path need not be text
    unset_git_environment()
    with stop_politely():
        try:
            with _complete_shell():
                app(prog_name="mlscaffold")
        except MlscaffoldError as error:
            sys.exit(_refuse(error.message, error.exit_code))
        except KeyboardInterrupt:
            sys.exit(_refuse("Stopped; nothing was changed."))
        except GitError as error:
            sys.exit(_refuse(f"Git refused: {error}. Nothing was changed."))
        except MemoryError:
            sys.exit(_refuse("There is not enough memory."))
        except OSError as error:  # no space left, no temporary folder: the machine's matter, not a mistake of ours
            sys.exit(_refuse(f"{error}."))


def _refuse(message: str, code: int = 1) -> int:
    """Say what went wrong, to people and to scripts, and return the exit code."""
    screen.complain(message)
    if "--json" in sys.argv[1:]:
        screen.print_json({"error": message, "exit_code": code})
    return code


def _complete_shell() -> contextlib.AbstractContextManager[None]:
    if "_MLSCAFFOLD_COMPLETE" not in os.environ:
        return contextlib.nullcontext()
    from mlscaffold.cli import completion

    return completion.adapt_shell()


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"mlscaffold {__version__}")
        raise typer.Exit


@app.callback()
def _main(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    pass


for name, command, exit_codes in (
    ("new", new.new, new.EXIT_CODES),
    ("update", update.update, update.EXIT_CODES),
    ("set", update.set_answers, update.EXIT_CODES),
    ("adopt", adopt.adopt, adopt.EXIT_CODES),
    ("status", status.status, status.EXIT_CODES),
    ("diff", status.diff, status.EXIT_CODES_OF_DIFF),
    ("doctor", doctor.doctor, doctor.EXIT_CODES),
    ("options", options.options, options.EXIT_CODES),
    ("explore", explore.explore, explore.EXIT_CODES),
):
    app.command(name, epilog=exit_codes)(command)
