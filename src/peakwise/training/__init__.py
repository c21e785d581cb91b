"""One training loop, for every objective."""

from peakwise.training._batches import ArrayBatches
from peakwise.training._history import History
from peakwise.training._loop import train
from peakwise.training._team import Team, joined_processes

__all__ = ["ArrayBatches", "History", "Team", "joined_processes", "train"]
