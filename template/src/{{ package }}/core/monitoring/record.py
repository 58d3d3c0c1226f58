"""The record of the prediction log: what the service writes, and what is read of it."""

from datetime import datetime
from typing import Any

import msgspec

from ..task.answer import Prediction


class Record(msgspec.Struct):
    """One line of the log: one row of a request, which later outcomes can be joined on, and its answer."""

    request_id: str
    row: int
    time: datetime
    model: str
    inputs: dict[str, Any]
    answer: Prediction
