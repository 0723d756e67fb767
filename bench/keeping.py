"""Where results are kept that are worth showing."""

from pathlib import Path

RESULTS = Path(__file__).parent / "results"
