"""Training by several processes that torchrun starts, on one machine or on many.

The first process runs the command: it alone reads data, writes anything and says how it goes. The others wait until it
calls a function in all of them, take part, and end with its exit code. So they need neither data nor a common disk.
Without torchrun there is one process, and nothing here changes what it does.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import torch
from torch import Tensor, distributed

from ..errors import ProjectError

COMMANDS = ("train", "pipeline")
"""What several processes may run; a search is shared by workers that find each other by its storage."""

LONGEST_WAIT = timedelta(days=1)
"""How long the others wait for the first one, which may be reading a table or measuring a model."""


class LostError(ProjectError):
    """A training cannot go on: one of its processes has ended, or was told to end."""

    def __init__(self, what: str) -> None:
        super().__init__(f"{what}; start the training again, and it goes on from its checkpoint")


_is_broken = False
"""Whether the processes no longer wait for each other at the same place, so that none can tell the others anything."""


def count() -> int:
    """Return how many processes there are."""
    return distributed.get_world_size() if distributed.is_initialized() else 1


def count_here() -> int:
    """Return how many of them are on this machine."""
    return int(os.environ["LOCAL_WORLD_SIZE"]) if distributed.is_initialized() else 1


def rank() -> int:
    """Return which process this is; the first one is 0."""
    return distributed.get_rank() if distributed.is_initialized() else 0


def share(value: Any) -> Any:
    """Return the value that the first process gives, in all of them."""
    values = [value]
    if count() > 1:
        distributed.broadcast_object_list(values, device=torch.device("cpu"))
    return values[0]


def mean(values: Tensor) -> float:
    """Return the mean of the values of all processes, shape (n,) in each: the same number in all of them."""
    total = torch.stack([values.sum(), values.new_tensor(len(values))])
    if count() > 1:
        distributed.all_reduce(total)
    return float(total[0] / total[1])


def call(function: Callable[..., None], *arguments: Any, **own: Any) -> None:
    """Call a function in all processes.

    Args:
        function: One of a module, by whose name the others find it; what it is to do in them is its default.
        arguments: What it is given in all of them.
        own: What it is given in the first one only, such as where to write.

    Raises:
        LostError: one of the others has ended.
    """
    with _failing_together():
        share((function, arguments))
        function(*arguments, **own)


def run(command: Callable[[], None]) -> None:
    """Run a command in the first of the processes that torchrun has started, and take part in the others.

    Args:
        command: What ends with SystemExit; its code is that of all processes.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        command()
        return
    _join()
    code = _take_part() if rank() else _lead(command)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # torchrun tells those to end that have not ended yet
    if not _is_broken:
        mean(torch.zeros(1))  # nobody leaves before all know how it ended
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)  # threads of gloo abort some processes that end in the usual way


def _join() -> None:
    """Meet the other processes where torchrun says, each with a GPU of its own if there are as many."""
    place = int(os.environ["LOCAL_RANK"])
    if place < torch.cuda.device_count():
        torch.cuda.set_device(place)
    backend = "cpu:gloo,cuda:nccl" if torch.cuda.is_available() else "gloo"
    distributed.init_process_group(backend, timeout=LONGEST_WAIT)
    signal.signal(signal.SIGTERM, _stop)


def _lead(command: Callable[[], None]) -> int:
    """Run the command, let the others end as it does, and return its exit code."""
    try:
        if not set(COMMANDS) & set(sys.argv):
            print(f"error: torchrun is for {' and '.join(COMMANDS)}; run this without it", file=sys.stderr)
            raise SystemExit(2)
        command()
        code = 0
    except SystemExit as end:
        code = int(end.code or 0)
    if not _is_broken:
        share(code)
    return code


def _take_part() -> int:
    """Do what the first process calls for until it has ended, and return its exit code."""
    try:
        with _failing_together():
            while isinstance(task := share(None), tuple):
                function, arguments = task
                function(*arguments)
            return int(task)
    except ProjectError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code


@contextlib.contextmanager
def _failing_together() -> Iterator[None]:
    """Take note that the processes can no longer work together once one of them has failed.

    Raises:
        LostError: it was another one, whose end is all that this one sees.
    """
    global _is_broken
    try:
        yield
    except BaseException as error:
        _is_broken = count() > 1
        if isinstance(error, distributed.DistError) or (isinstance(error, RuntimeError) and "gloo" in str(error)):
            signal.signal(signal.SIGTERM, signal.SIG_IGN)  # which says the same
            raise LostError("another process of this training has ended or cannot be reached") from error
        raise


def _stop(*_: object) -> None:
    """End with a sentence when torchrun says so, as it does if one of the processes has failed."""
    global _is_broken
    _is_broken = True
    raise LostError("this training was told to end, perhaps because another of its processes has ended")
