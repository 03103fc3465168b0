"""The recipients of a feed's notifications, and their addresses, which are secrets."""

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
    """A recipient of notifications."""

    name: str  # the variable, file or block that has the address
    known: Secret | None = None  # the address, if it could be read
    fault: str = ""  # why the address could not be read
    # a Prefect block, which is loaded only for sending, since that takes seconds
    block: str = ""
    said: str = ""  # the setting that names the block

    @property
    def address(self) -> Secret:
        """The address. Raises `SettingsError` if it cannot be read."""
        if self.fault:
            raise SettingsError(self.fault)
        return self.known or in_block(self.said, self.block)


@dataclass(frozen=True)
class Addressees:
    """The recipients of a feed."""

    drop: str  # how commands name the feed
    everyone: tuple[Addressee, ...]
    on: frozenset[NoticeKind] = frozenset(NOTICE_KINDS)  # the kinds of causes to notify of


def addressees(feed: Feed, drop: str, environment: Mapping[str, str]) -> Addressees | None:
    """Return the recipients that a feed file names; None if it has no notifications."""
    if feed.notify is None:
        return None
    return Addressees(drop, tuple(_each_recipient(feed, environment)), feed.notify.on)


def _each_recipient(feed: Feed, environment: Mapping[str, str]) -> Iterator[Addressee]:
    if feed.notify is None:
        return
    setting = f"{feed.path}: `notify."
    for name in sorted(feed.notify.env):
        yield _read_address(f"${name}", partial(in_variable, f"{setting}env`", name, environment))
    for name in sorted(feed.notify.files):
        yield _read_address(name, partial(in_file, f"{setting}files`", feed.path.parent / name))
    for name in sorted(feed.notify.blocks):
        yield Addressee(f"the block {name}", block=name, said=f"{setting}blocks`")


def _read_address(name: str, read: Callable[[], Secret]) -> Addressee:
    try:
        return Addressee(name, read())
    except SettingsError as error:
        return Addressee(name, fault=str(error))
