"""What can go wrong for a reason that its user can mend; `cli.py` prints it in one sentence and exits with its code."""


class ProjectError(Exception):
    """Something is wrong with the data, the parameters, a bundle or the environment."""

    exit_code = 1


class GateRefusedError(ProjectError):
    """The challenger may not replace the champion."""

    exit_code = 3


class DriftError(ProjectError):
    """The logged predictions no longer look like the data that the model was made from, or are no longer as good."""

    exit_code = 4
