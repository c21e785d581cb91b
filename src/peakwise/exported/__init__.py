"""Trained networks made ready to predict as fast as the machine can.

To add a backend: one file beside these and one line in the table `BACKENDS`.
"""

from peakwise.exported._backend import Backend
from peakwise.exported._compile import BACKENDS, compile_network
from peakwise.exported._predictor import Predictor

__all__ = ["BACKENDS", "Backend", "Predictor", "compile_network"]
