"""`make bench`: prints the ratios that the design promises. What takes long is measured only if it is named."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

from tests.bench import loading, memory, night, sizes

FOLDER = Path(".bench")
PARTS: dict[str, Callable[[Path], None]] = {"night": night.measure, "load": loading.measure}
LONG: dict[str, Callable[[Path], None]] = {"memory": memory.measure, "sizes": sizes.measure}


if __name__ == "__main__":
    for part in sys.argv[1:] or PARTS:
        (PARTS | LONG)[part](FOLDER)
