"""Keras on TensorFlow: it reads which backend it has when it is imported, so it is imported from here."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what goes wrong is raised as well
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")  # its sums depend on the number of threads

import keras as keras
import tensorflow

tensorflow.config.experimental.enable_op_determinism()
