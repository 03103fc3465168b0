"""How a run is seen while it goes: by nobody, by bars on a terminal, or by an orchestrator that has each stage as a task."""

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
    from connectors.oneroster.target import Endpoint as Address
    from flows.job import Job

P = ParamSpec("P")
T = TypeVar("T")


class Watch:
    """Sees a run, and shows nothing; a context manager. What others show, they add to this."""

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
        """Tell people one line."""

    def warn(self, line: str) -> None:
        """Tell people one line at once, apart from what the run prints."""

    def stage(self, _name: str, work: Callable[P, T], /, *args: P.args, **more: P.kwargs) -> T:
        """Do the work of one stage of the line, and give what came of it."""
        return work(*args, **more)

    def advance(self, entity: str, done: int, total: int) -> None:
        """Hear that `done` of `total` records of an entity are settled."""

    @asynccontextmanager
    async def sending(
        self, local: AbstractAsyncContextManager[Sender], _address: Address, _job: Job, /
    ) -> AsyncIterator[Sender]:
        """Open what sends the batches of a load: `local` is this machine's way, which is begun only if it is used."""
        async with local as sender:
            yield sender


NOBODY = Watch()


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
