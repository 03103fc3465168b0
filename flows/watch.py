"""How a run is shown while it runs: not at all, by progress bars, or by Prefect tasks."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, ParamSpec, Self, TypeVar

if TYPE_CHECKING:
    from connectors.oneroster.load_state import Sender
    from connectors.oneroster.target import Endpoint
    from flows.job import Job

P = ParamSpec("P")
T = TypeVar("T")


class Watch:
    """Follows a run, and shows nothing. Subclasses show it. A context manager."""

    sends_from_clusters = False  # whether `sending` knows how to

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what is shown."""

    def say(self, line: str) -> None:
        """Show a line to people."""

    def warn(self, line: str) -> None:
        """Show a line to people immediately, apart from what the run prints."""

    def stage(self, _name: str, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Run the work of one stage of the pipeline, and return its result."""
        return work(*args, **more)

    def advance(self, entity: str, done: int, total: int) -> None:
        """Show that `done` of `total` records of an entity are finished."""

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], _address: Endpoint, _job: Job, /
    ) -> AsyncIterator[Sender]:
        """Yield the sender of a load's batches. `local` sends from this machine, once entered."""
        async with local as sender:
            yield sender


SILENT = Watch()


SIGNALS = (signal.SIGINT, signal.SIGTERM)
STOPPING = "Stopping: the requests under way are finished and recorded. Once more to end at once."


@contextmanager
def stop_on_signal(
    say: Callable[[str], None], at_once: Callable[[], None] = lambda: None
) -> Iterator[asyncio.Event]:
    """Yield an event that the first signal sets; `say` shows a line then.

    A second signal raises `KeyboardInterrupt`. `at_once` is called at each signal, also while
    something keeps the event loop from going on.
    """
    stop = asyncio.Event()

    def handle_signal() -> None:
        if stop.is_set():
            raise KeyboardInterrupt
        stop.set()
        say(STOPPING)

    # Signals reach only the main thread; whoever started another thread handles them.
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return
    loop = asyncio.get_running_loop()
    before = {one: signal.getsignal(one) for one in SIGNALS}
    for one in SIGNALS:
        loop.add_signal_handler(one, handle_signal)
        # The loop is woken all the same: it does not depend on Python's own handler.
        signal.signal(one, lambda *_: at_once())
    try:
        yield stop
    finally:
        for one, handler in before.items():
            loop.remove_signal_handler(one)
            signal.signal(one, handler or signal.SIG_DFL)
