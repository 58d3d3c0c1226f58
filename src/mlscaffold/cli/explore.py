"""`mlscaffold explore`: read every file of a project before it exists."""

import os
import shutil
from pathlib import Path
from typing import Annotated

import typer

from mlscaffold.cli import screen
from mlscaffold.errors import TargetError, reason

EXIT_CODES = "Exit codes: 0 done; 1 the page cannot be made or saved; 2 wrong usage."


def explore(
    save: Annotated[
        Path | None,
        typer.Option(metavar="FILE.html", dir_okay=False, help="Save the page there, and open nothing."),
    ] = None,
) -> None:
    """Open the explorer in your browser: choose options, read every file, compare, and download the project.

    The page is one file of this installation, and works offline.
    """
    from mlscaffold.template.source import find_explorer

    with screen.show_step("Making the page"):
        page = find_explorer()
    if save is not None:
        try:
            shutil.copyfile(page, save)
        except OSError as error:
            raise TargetError(f"The page cannot be saved as {save}: {reason(error)}.") from error
        print(save)
        return
    print(page)
    if not _open_in_browser(page):
        screen.open_console(stderr=True).print(
            "No browser can be opened from here: open that file with one, or save it with --save FILE.html.",
            style="yellow",
            soft_wrap=True,
        )


def _open_in_browser(page: Path) -> bool:
    import webbrowser

    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    # Without a display, Python finds browsers for the terminal, which do not run the page's script.
    if type(browser) is webbrowser.GenericBrowser and "BROWSER" not in os.environ:
        return False
    return browser.open(page.as_uri())
