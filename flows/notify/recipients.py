"""Whom a feed's file says to tell: what holds their addresses, and the addresses themselves, which are secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flows.errors import SettingsError
from flows.feeds.credentials import Secret, in_block, in_file, in_variable
from flows.result import NOTICE_KINDS, NoticeKind

if TYPE_CHECKING:
    from flows.feeds.feed import Feed


@dataclass(frozen=True)
class Addressee:
    """One who is told: the `name` of what holds the address; the address, or the `fault` for which there is none.

    A `block` is read when there is something to tell, since that takes seconds; `said` is the setting that names it.
    """

    name: str
    known: Secret | None = None
    fault: str = ""
    block: str = ""
    said: str = ""

    @property
    def address(self) -> Secret:
        """The address. Raises `SettingsError` if it cannot be read."""
        if self.fault:
            raise SettingsError(self.fault)
        return self.known or in_block(self.said, self.block)


@dataclass(frozen=True)
class Addressees:
    """Those whom a feed tells, and `on` which kinds of causes; `drop` is how commands name the feed."""

    drop: str
    everyone: tuple[Addressee, ...]
    on: frozenset[NoticeKind] = frozenset(NOTICE_KINDS)


def addressees(feed: Feed, drop: str, environment: Mapping[str, str]) -> Addressees | None:
    """Read whom a feed's file says to tell; None if it says nothing of that."""
    if feed.notify is None:
        return None
    return Addressees(drop, tuple(_everyone(feed, environment)), feed.notify.on)


def _everyone(feed: Feed, environment: Mapping[str, str]) -> Iterator[Addressee]:
    if feed.notify is None:
        return
    said = f"{feed.path}: `notify."
    for name in sorted(feed.notify.env):
        yield _known(f"${name}", partial(in_variable, f"{said}env`", name, environment))
    for name in sorted(feed.notify.files):
        yield _known(name, partial(in_file, f"{said}files`", feed.path.parent / name))
    for name in sorted(feed.notify.blocks):
        yield Addressee(f"the block {name}", block=name, said=f"{said}blocks`")


def _known(name: str, door: Callable[[], Secret]) -> Addressee:
    try:
        return Addressee(name, door())
    except SettingsError as error:
        return Addressee(name, fault=str(error))
