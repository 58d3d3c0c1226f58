"""Keras on TensorFlow: import it from here, because it reads its backend and its settings when it is imported."""

import os

from .threads import available

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong is raised as well
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums differ from run to run of one process

import keras as keras
import tensorflow

tensorflow.config.threading.set_intra_op_parallelism_threads(available())  # it does not look at a container's limit
tensorflow.config.experimental.enable_op_determinism()
