"""The options of a run. Each one is declared once, here.

The command line, the flows, the feed file and the job (`flows/job.py`) derive from these
declarations. This module imports nothing slow, so that `roster --help` answers at once.
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
    """The declaration of an option besides its name, type and default."""

    help: str
    commands: tuple[str, ...] = ()  # the commands and flows that have it
    metavar: str | None = None  # how `--help` names the value
    least: float | None = None
    most: float | None = None
    feed: str = ""  # its setting in a feed file, such as `run.processes`; blank: none


def option(default: Any, help: str = "", **more: Any) -> Any:
    """Declare an option as a field. `more` are other fields of `Option`."""
    return field(default=default, metadata={OPTION: Option(help, **more)})


@dataclass(frozen=True, kw_only=True)
class SourceOptions:
    """How a drop is read."""

    strict: bool = option(
        False,
        "Treat lenient readings of a drop as errors.",
        commands=("sync", "plan", "check", "adopt", "nightly"),
    )


@dataclass(frozen=True, kw_only=True)
class GuardOptions:
    """What needs a person's approval."""

    all_or_nothing: bool = option(
        False, "Send nothing if anything is held.", commands=("sync", "plan", "restore")
    )
    first_run: bool = option(
        False,
        "Load even if the target already has some of these ids.",
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
        "For how long a request is sent again that may yet succeed, and a run waits for the "
        "ledger's server.",
        feed="target.patience_seconds",
        least=0,
        most=3600,
    )
    workers: int = option(
        1,
        "Processes that send; together they keep to the limit of requests at once. "
        "Default: the feed file's, or 1.",
        commands=("sync", "plan", "restore", "verify", "adopt"),
        feed="run.processes",
        least=1,
        most=10,
        metavar="N",
    )


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """The decision that a run carries out, and how long later ones can be made."""

    approve: str | None = option(
        None, "Send exactly the changes of this plan.", commands=("sync", "plan"), metavar="PLAN"
    )
    by: str = option(
        "", "Who approves. Default: your user name.", commands=("sync",), metavar="NAME"
    )
    note: str = option(
        "", "Why it is approved; the ledger keeps it.", commands=("sync",), metavar="TEXT"
    )
    plan_days: int = option(
        14, "Days for which what is held can be approved.", feed="plan_days", least=1, most=365
    )


PARTS = (RunOptions, SourceOptions, GuardOptions, LoadOptions)


@dataclass(frozen=True)
class Options:
    """The options that a command or a flow was given."""

    command: Command
    drop: Path
    target: str | None = None
    district: str | None = None
    state: Path = Path(".roster")
    json: bool = False
    restore: str | None = None  # the run whose roster is restored
    replays: bool = False  # the command finds its drops itself; the feed's own is not read
    # options of the job, by name; None: not given
    told: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, command: Command, drop: Path, **values: Any) -> Options:
        """Make options from values by name, whether they belong to the job or not."""
        own = {one.name for one in fields(cls)}
        given = {name: value for name, value in values.items() if name not in own}
        if unknown := given.keys() - declared_options().keys():
            raise TypeError(f"no option is called {', '.join(sorted(unknown))}")
        return cls(
            command,
            drop,
            **{name: value for name, value in values.items() if name in own},
            told=given,
        )


@cache
def declared_options() -> dict[str, tuple[type, Field[Any], Option]]:
    """Return each option by name: its type, its field and its declaration."""
    return {
        one.name: (get_type_hints(part)[one.name], one, one.metadata[OPTION])
        for part in PARTS
        for one in fields(part)
    }


def unchanged_declaration(
    _name: str, kind: type, default: Any, _declaration: Option
) -> tuple[Any, Any]:
    """Return the annotation and the default of an option unchanged."""
    return kind, default


def takes_options(
    command: str,
    annotate: Callable[[str, type, Any, Option], tuple[Any, Any]] = unchanged_declaration,
) -> Callable[[Callable[P, T]], Callable[P, T]]:
    """Give a function the options of a command or a flow as parameters.

    They are inserted before `json`, or at the end, and passed as keywords (`**told`). `annotate`
    returns the annotation and the default of each parameter.
    """

    def with_parameters(function: Callable[P, T]) -> Callable[P, T]:
        own = inspect.signature(function, eval_str=True).parameters.values()
        named = [one for one in own if one.kind is not Parameter.VAR_KEYWORD]
        more = [
            Parameter(name, Parameter.POSITIONAL_OR_KEYWORD, annotation=annotation, default=default)
            for name, (kind, one, declaration) in declared_options().items()
            if command in declaration.commands
            for annotation, default in [annotate(name, kind, one.default, declaration)]
        ]
        place = next((place for place, one in enumerate(named) if one.name == "json"), len(named))
        parameters = [*named[:place], *more, *named[place:]]
        function.__signature__ = Signature(parameters)  # type: ignore[attr-defined]
        function.__annotations__ = {one.name: one.annotation for one in parameters}
        return function

    return with_parameters


def options_in_table(table: str) -> Iterator[tuple[str, type, Any, Option]]:
    """Yield the options that a table of a feed file has: key, type, default and declaration."""
    for kind, one, declaration in declared_options().values():
        place, _, key = declaration.feed.rpartition(".")
        if key and place == table:
            yield key, kind, one.default, declaration


def feed_value(name: str, feed: object) -> Any:
    """Return a feed's value of an option that has a setting in its file."""
    return attrgetter(declared_options()[name][2].feed)(feed)


def option_values(part: type, options: Options, feed: object | None) -> dict[str, Any]:
    """Return the values of a part of a job: from the options, or else from the feed file."""
    values = {}
    for one in fields(part):
        if OPTION not in one.metadata:
            continue
        if options.told.get(one.name) is not None:
            values[one.name] = options.told[one.name]
        elif one.metadata[OPTION].feed and feed is not None:
            values[one.name] = feed_value(one.name, feed)
    return values
