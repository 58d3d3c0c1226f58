"""The model, from data to service; `cli.py` lists what it can do."""

import os

# ONNX Runtime reports to its makers, and leaves a device id in the home folder, unless this is set before its import.
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
