"""``python -m peakwise``."""

from peakwise.cli import main

main()
