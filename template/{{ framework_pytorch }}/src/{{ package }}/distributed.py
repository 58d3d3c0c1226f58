"""The command, for torchrun: `torchrun --nproc-per-node 2 -m PACKAGE.distributed train` trains with two processes."""

from .core.training import threads


def main() -> None:
    """Run the command in the first of the processes that there are."""
    threads.limit()  # before PyTorch is imported
    from . import cli
    from .core.training import processes

    processes.run(cli.main)


if __name__ == "__main__":
    main()
