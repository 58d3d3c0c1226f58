"""Keras on PyTorch: it reads which backend it has when it is imported, so it is imported from here."""

import os

os.environ["KERAS_BACKEND"] = "torch"

import keras as keras
