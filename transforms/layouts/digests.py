"""Ids made of what is personal, such as an address and a name: digests, in which nobody reads either.

Whoever knows the salt can try addresses and names until one makes a digest. A record that was sent under an id in which
they can be read, as release 0.1 made them, keeps it: a target cannot rename a record, and others know it by its id.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
from dataclasses import dataclass, field
from functools import cached_property
from hashlib import sha256

from transforms.layouts.keys import short, written

LENGTH = 32
_WRITTEN = re.compile(r"(?:@[0-9a-f]{2})+")


@dataclass(frozen=True)
class Digests:
    """How the ids of one feed are made of personal data.

    `salt` makes them those of this district alone; it may be a secret. `sent` are the readable ids that the target was sent,
    and `forgotten` the digests (SHA-256) of ids that are left out, both with the `prefix` of the feed.
    """

    salt: str = field(default="", repr=False)
    sent: frozenset[str] = field(default=frozenset(), repr=False)
    forgotten: frozenset[str] = field(default=frozenset(), repr=False)
    prefix: str = ""
    _made: dict[str, str] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def made(self) -> bool:
        """Whether any id was asked for."""
        return bool(self._made)

    def id_of(self, readable: str) -> str:
        """The id for a readable one: one that was sent already, for this or for the same in another spelling, or a digest."""
        if readable not in self._made:
            self._made[readable] = self._id_of(readable)
        return self._made[readable]

    def _id_of(self, readable: str) -> str:
        was = self.prefix + short(readable)
        if was in self.sent:
            return was.removeprefix(self.prefix)
        alike = plainly(self.prefix + readable)
        if alike in self._alike:
            return self._alike[alike].removeprefix(self.prefix)
        for known in (was, alike):  # it keeps that id, by which it is left out
            if self.forgotten and _digest(known) in self.forgotten:
                return known.removeprefix(self.prefix)
        plain = plainly(readable) if self.prefix else alike
        made = hmac.digest(self.salt.encode(), plain.encode(), "sha256").hex()
        return f"{readable.partition('/')[0]}-{made[:LENGTH]}"

    @cached_property
    def _alike(self) -> dict[str, str]:
        """What was sent, by what all its spellings have in common; of several the first in order."""
        return {plainly(one): one for one in sorted(self.sent, reverse=True)}


def plainly(readable: str) -> str:
    """A readable id as all spellings of its parts have it: composed accents, lower case, and single spaces."""
    kind, *parts = readable.split("/")
    return "/".join([kind, *(written(_plain(_WRITTEN.sub(_read, part) if "@" in part else part)) for part in parts)])


def _plain(part: str) -> str:
    if part.isascii():
        return " ".join(part.lower().split())
    return unicodedata.normalize("NFC", " ".join(unicodedata.normalize("NFC", part).casefold().split()))


def _read(found: re.Match[str]) -> str:
    return bytes.fromhex(found[0].replace("@", "")).decode(errors="replace")


def _digest(sourced_id: str) -> str:
    return sha256(sourced_id.encode()).hexdigest()


# A run of the signs of ids.
_RUN = re.compile(r"[0-9A-Za-z.\-_@/]+")
# What can be read in one: the name of a contact, as release 0.1 wrote it there, or an address.
_NAME = re.compile(r"[\w.\-@]*?(?:contact|guardian)/[^/]+/.+", re.ASCII)
_ADDRESS = re.compile(r"[^@\s]@[^@\s]+\.[^@\s]")


def discreet(text: str) -> str:
    """Shorten the ids in a text in which names or addresses can be read: to `contact/…`, and a digest to tell them apart."""
    return _RUN.sub(lambda run: _short_of(run[0]), text) if "/" in text else text


def _short_of(run: str) -> str:
    one = run.rstrip(".")
    if not _is_readable(one):
        return run
    return f"{one.partition('/')[0]}/…{_digest(one)[:8]}{run[len(one) :]}"


def _is_readable(sourced_id: str) -> bool:
    """Whether an id that is made of something, or an id of which it is made, has a name or an address in it."""
    if "/" not in sourced_id:
        return False
    parts = [(part, _WRITTEN.sub(_read, part)) for part in sourced_id.split("/") if "@" in part]
    return _NAME.fullmatch(sourced_id) is not None or any(
        part != said and (_ADDRESS.search(said) or _is_readable(said)) for part, said in parts
    )
