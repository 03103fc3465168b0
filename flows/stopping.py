"""What SIGINT and SIGTERM do while records are sent: the first stops the run in good order, the second at once."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPING = "Stopping: the requests under way are finished and recorded. Once more to end at once."


@contextmanager
def stopping(say: Callable[[str], None]) -> Iterator[asyncio.Event]:
    """Give an event that is set by the first signal, which `say` tells people; a second one raises `KeyboardInterrupt`."""
    stop = asyncio.Event()

    def heard() -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say(STOPPING)

    # Elsewhere than in the main thread there are no signals, and whoever started the thread sees to them.
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    loop = asyncio.get_running_loop()
    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one in SIGNALS:
        loop.add_signal_handler(one, heard)
    try:
        yield stop
    finally:
        for one, handler in before.items():
            loop.remove_signal_handler(one)
            signal.signal(one, handler or signal.SIG_DFL)
