"""Flows in the process of the tests, as in one of their own. To import this is to import Prefect.

That takes seconds, and Prefect looks for its home in the environment while it does so.
"""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from prefect import tags
from prefect.context import SettingsContext
from prefect.events.worker import EventsWorker
from prefect.logging.handlers import APILogWorker
from prefect.settings import Profile, Settings


@contextmanager
def settings_of_environment() -> Iterator[None]:
    """Take Prefect's settings from the environment as it is now; send at the end what waits for the server."""
    with SettingsContext(profile=Profile(name="tests", settings={}), settings=Settings()):
        try:
            yield
        finally:
            EventsWorker.drain_all()
            APILogWorker.drain_all()


@contextmanager
def connections_left_open() -> Iterator[None]:
    """Allow for Prefect leaving connections of a flow that waits for its form open until its process ends."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "unclosed", ResourceWarning)
        try:
            yield
        finally:
            gc.collect()


def performed(name: str, parameters: dict[str, object], *labels: str) -> str:
    """Run the flow of a name, whose module has that name too; give the id of its run, which has these tags."""
    flow: Any = getattr(import_module(f"flows.{name}"), name)
    with tags(*labels):
        return str(flow(**parameters, return_state=True).state_details.flow_run_id)
