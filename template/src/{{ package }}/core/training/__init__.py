"""Training: one run, its parity check, its tracking, and the search for parameters."""

import os

import joblib

# Read by OpenMP when a framework is imported. A thread that waits must not keep a processor from others: on a busy
# machine small models take minutes otherwise. And a container's share is not all the processors of its machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")
os.environ.setdefault("OMP_NUM_THREADS", str(joblib.cpu_count()))
