"""The records of the prediction log: what the service answered, and what happened afterwards."""

from datetime import datetime
from typing import Any

import msgspec

from ..task.answer import Prediction

SUFFIX = ".jsonl.gz"
"""How the name of an object ends that holds records: one line each, compressed."""
OUTCOMES = "outcomes/"
"""How the names of those begin that hold outcomes."""


class Record(msgspec.Struct):
    """One line of the log: one row of a request, which later outcomes can be joined on, and its answer."""

    request_id: str
    row: int
    time: datetime
    model: str
    inputs: dict[str, Any]
    answer: Prediction


class Outcome(msgspec.Struct):
    """What happened to one row of a request, and when it became known."""

    request_id: str
    row: int
    time: datetime
    outcome: Any
