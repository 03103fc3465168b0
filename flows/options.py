"""The options of a run: each is declared once, below.

The command line, the flows, the feed file and the job (`flows/job.py`) take it from here. This module imports
nothing that takes time, so that `roster --help` answers at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import Field, dataclass, field, fields
from functools import cache
from inspect import Parameter, Signature
from operator import attrgetter
from pathlib import Path
from typing import Any, Literal, ParamSpec, TypeVar, get_type_hints

P = ParamSpec("P")
T = TypeVar("T")

Command = Literal["sync", "plan", "check"]
OPTION = "option"


@dataclass(frozen=True)
class Option:
    """How people give a value of a job."""

    help: str
    commands: tuple[str, ...] = ()  # the commands and flows that have it
    metavar: str | None = None  # what `--help` calls the value
    least: float | None = None
    most: float | None = None
    feed: str = ""  # where a feed file says it, such as `run.processes`; blank: nowhere
    unsaid: str = ""  # what `--help` gives as the default, if the default is not told as it is


def option(default: Any, help: str = "", **more: Any) -> Any:
    """Declare an option at its field; `more` as in `Option`."""
    return field(default=default, metadata={OPTION: Option(help, **more)})


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a drop is read."""

    strict: bool = option(
        False,
        "Turn lenient readings of a drop into errors.",
        commands=("sync", "plan", "check", "adopt", "nightly"),
    )


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """What may happen without a person."""

    all_or_nothing: bool = option(
        False, "Send nothing if anything is held.", commands=("sync", "plan", "restore")
    )
    first_run: bool = option(
        False,
        "Load although the target holds some of these ids already.",
        commands=("sync", "plan"),
    )
    ask_first: bool = option(False, "Hold everything until a person has seen it.")


@dataclass(frozen=True, kw_only=True)
class LoadOptions:
    """How fast changes are sent."""

    batch_size: int = option(
        1000, "Records in a batch.", feed="target.batch_size", least=1, most=10_000
    )
    concurrency: int = option(10, "Requests at once.", feed="target.concurrency", least=1, most=10)
    patience_seconds: float = option(
        120,
        "For how long a request is sent again that may yet succeed.",
        feed="target.patience_seconds",
        least=0,
        most=3600,
    )
    workers: int = option(
        1,
        "Processes that send; they share the requests at once.",
        commands=("sync", "plan", "restore", "verify", "adopt"),
        feed="run.processes",
        least=1,
        most=10,
        unsaid="1, or the feed's file",
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Whose decision a run carries out, and how long what it holds can be decided."""

    approve: str | None = option(
        None, "Send exactly what this plan holds.", commands=("sync", "plan"), metavar="PLAN"
    )
    by: str = option("", "Who approves.", commands=("sync",), unsaid="you")
    note: str = option("", "Why.", commands=("sync",))
    plan_days: int = option(
        14, "Days for which what is held can be approved.", feed="plan_days", least=1, most=365
    )


PARTS = (RunOptions, SourceOptions, GuardOptions, LoadOptions)


@dataclass(frozen=True)
class Options:
    """What a command or a flow was told."""

    command: Command
    drop: Path
    target: str | None = None
    district: str | None = None
    state: Path = Path(".roster")
    json: bool = False
    restore: str | None = None  # the run whose roster is brought back
    replays: bool = False  # the command finds its drops itself
    # options of the job, by name; None is not told
    told: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Command, drop: Path, **values: Any) -> Options:
        """Make options out of values by name, whether they are of the job or not."""
        own = {one.name for one in fields(cls)}
        told = {name: value for name, value in values.items() if name not in own}
        if unknown := told.keys() - declared().keys():
            raise TypeError(f"no option is called {', '.join(sorted(unknown))}")
        return cls(
            command,
            drop,
            **{name: value for name, value in values.items() if name in own},
            told=told,
        )


@cache
def declared() -> dict[str, tuple[type, Field[Any], Option]]:
    """Give each option by name: the type of its value, its field and how it is told."""
    return {
        one.name: (get_type_hints(part)[one.name], one, one.metadata[OPTION])
        for part in PARTS
        for one in fields(part)
    }


def as_declared(_name: str, kind: type, default: Any, _told: Option) -> tuple[Any, Any]:
    """Give the annotation and the default of an option as they are."""
    return kind, default


def takes_options(
    command: str, annotate: Callable[[str, type, Any, Option], tuple[Any, Any]] = as_declared
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give a function the options of a command or a flow as parameters, before `json` or at the end.

    They come to it as keywords (`**told`). `annotate` says with which annotation and default they are shown.
    """

    def changed(function: Callable[P, T]) -> Callable[P, T]:
        own = inspect.signature(function, eval_str=True).parameters.values()
        named = [one for one in own if one.kind is not Parameter.VAR_KEYWORD]
        more = [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default)
            for name, (kind, one, told) in declared().items()
            if command in told.commands
            for annotation, default in [annotate(name, kind, one.default, told)]
        ]
        place = next((place for place, one in enumerate(named) if one.name == "json"), len(named))
        parameters = [*named[:place], *more, *named[place:]]
        function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {one.name: one.annotation for one in parameters}
        return function

    return changed


def in_table(table: str) -> Iterator[tuple[str, type, Any, Option]]:
    """Give the options that a table of a feed file has: key, type, default and how each is told."""
    for kind, one, told in declared().values():
        place, _, key = told.feed.rpartition(".")
        if key and place == table:
            yield key, kind, one.default, told


def from_feed(name: str, feed: object) -> Any:
    """Give what a feed file says for an option that it has."""
    return attrgetter(declared()[name][2].feed)(feed)


def values_of(part: type, options: Options, feed: object | None) -> dict[str, Any]:
    """Give the values of a part of a job that the options say, or else the feed file."""
    values = {}
    for one in fields(part):
        if OPTION not in one.metadata:
            continue
        if options.told.get(one.name) is not None:
            values[one.name] = options.told[one.name]
        elif one.metadata[OPTION].feed and feed is not None:
            values[one.name] = from_feed(one.name, feed)
    return values
