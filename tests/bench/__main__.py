"""`make bench`: prints the ratios that the design promises."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import loading, night

FOLDER = Path(".bench")
PARTS: dict[str, Callable[[Path], None]] = {"night": night.measure, "load": loading.measure}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        PARTS[part](FOLDER)
