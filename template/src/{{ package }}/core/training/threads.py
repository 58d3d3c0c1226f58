"""How many threads a training may run.

OpenMP starts as many as the machine has processors, whatever a container may use of them; those too many spin while
they wait for each other, and a fit of seconds takes minutes.
"""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
VARIABLE = "OMP_NUM_THREADS"


def limit() -> None:
    """Let OpenMP start no more threads than there are processors for, and none of them spin while it waits.

    Call it before a framework is imported. What the environment says already counts.
    """
    os.environ.setdefault(VARIABLE, str(available()))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")


def available(cgroup: Path = CGROUP) -> int:
    """Return how many processors this process may use: those it may run on, or fewer where its time is limited.

    Args:
        cgroup: Where the control group is mounted, of version 2 or 1 (Linux: "Control Group v2", "CFS Bandwidth").
    """
    # Not on macOS, which has no control groups either.
    processors = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, math.floor(min(processors, _quota(cgroup))))


def _quota(cgroup: Path) -> float:
    """Return how many processors' time the control group is given; infinity where that is not limited."""
    try:
        quota, period = (cgroup / "cpu.max").read_text().split()
    except (OSError, ValueError):
        try:
            quota, period = ((cgroup / "cpu" / f"cpu.cfs_{name}_us").read_text() for name in ("quota", "period"))
        except OSError:
            return math.inf
    return math.inf if quota == "max" or int(quota) <= 0 else int(quota) / int(period)
