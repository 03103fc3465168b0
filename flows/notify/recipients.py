"""The recipients of a feed's notifications, and their addresses, which are secrets."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from flows.errors import SettingsError
from flows.feeds.credentials import (
    Secret,
    secret_from_block,
    secret_from_file,
    secret_from_variable,
)
from flows.result import NOTICE_KINDS, NoticeKind

if TYPE_CHECKING:
    from flows.feeds.feed import Feed


@dataclass(frozen=True)
class Recipient:
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
        return self.known or secret_from_block(self.said, self.block)


@dataclass(frozen=True)
class Recipients:
    """The recipients of a feed."""

    drop: str  # how commands name the feed
    everyone: tuple[Recipient, ...]
    on: frozenset[NoticeKind] = frozenset(NOTICE_KINDS)  # the kinds of causes to notify of


def recipients_of(feed: Feed, drop: str, environment: Mapping[str, str]) -> Recipients | None:
    """Return the recipients that a feed file names; None if it has no notifications."""
    if feed.notify is None:
        return None
    return Recipients(drop, tuple(_each_recipient(feed, environment)), feed.notify.on)


def _each_recipient(feed: Feed, environment: Mapping[str, str]) -> Iterator[Recipient]:
    if feed.notify is None:
        return
    setting = f"{feed.path}: `notify."
    for name in sorted(feed.notify.env):
        yield _read_address(
            f"${name}", partial(secret_from_variable, f"{setting}env`", name, environment)
        )
    for name in sorted(feed.notify.files):
        yield _read_address(
            name, partial(secret_from_file, f"{setting}files`", feed.path.parent / name)
        )
    for name in sorted(feed.notify.blocks):
        yield Recipient(f"the block {name}", block=name, said=f"{setting}blocks`")


def _read_address(name: str, read: Callable[[], Secret]) -> Recipient:
    try:
        return Recipient(name, read())
    except SettingsError as error:
        return Recipient(name, fault=str(error))
