"""The `mlscaffold` command. `--version` is answered here, before anything slow is imported."""

import sys

from mlscaffold import __version__


def main() -> None:
    """Run the command line on `sys.argv`."""
    if sys.argv[1:] == ["--version"]:
        print(f"mlscaffold {__version__}")
        return
    from mlscaffold.cli.app import run

    run()


if __name__ == "__main__":
    main()
