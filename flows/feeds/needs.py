"""What settings of a feed file need to have an effect; those that lack it are refused.

A setting that does nothing is a setting that somebody relies on. What `[source]` can say is a
matter of the layout (`transforms/layouts/idle_settings.py`); the rest stands here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

from flows.target import SANDBOX

Feed = Any  # a `flows.feeds.feed.Feed`, whose module imports this one
SFTP = ("sftp://", "ssh://")


@dataclass(frozen=True)
class Need:
    """What some settings need, and what to do where it is not there."""

    keys: tuple[str, ...]  # with their tables, such as `arrival.wait`
    is_met: Callable[[Feed], bool]
    # Completes a sentence that begins with the key, and ends in the next step.
    says: str


NEEDS = (
    Need(
        ("encoding",),
        lambda feed: feed.rest is None,
        "is about files, and what [rest] reads is always UTF-8. Remove it.",
    ),
    Need(
        ("drop_date", "drop_date_pattern"),
        lambda feed: feed.rest is None,
        "is about exports, and what [rest] reads is as new as the run. Remove it. `max_age` "
        "says how long the source may go without a change.",
    ),
    Need(
        ("arrival.settle", "arrival.ready", "arrival.wait", "arrival.spread"),
        lambda feed: feed.rest is None,
        "is about uploads of files, and [rest] needs none. Remove it. "
        "`rest.patience_seconds` says how long a request is tried again.",
    ),
    Need(
        ("arrival.wait",),
        lambda feed: bool(feed.rest or feed.arrival.settle or feed.arrival.ready),
        "says how long to wait, and nothing says for what. Set `arrival.settle` or "
        "`arrival.ready` too, or remove it.",
    ),
    Need(
        ("arrival.spread",),
        lambda feed: not (feed.drop or "").lower().endswith(".zip"),
        "compares the files of a folder, and the drop is a zip, which is one file. Remove it. "
        "`max_age` says how old an export may be.",
    ),
    Need(
        ("pickup.known_hosts", "pickup.key_file", "pickup.password_env"),
        lambda feed: feed.address.lower().startswith(SFTP),
        "signs in to an SFTP server, and nothing is fetched from one. Remove it. An API has its "
        "credentials under [rest], and other stores find theirs in the environment.",
    ),
    Need(
        ("rest.full_days", "rest.overlap_hours"),
        lambda feed: feed.rest is not None and feed.rest.delta,
        "is about readings of changes only, and without `rest.delta = true` everything is read "
        "each time. Set that too, or remove it.",
    ),
    Need(
        ("rest.cookies",),
        lambda feed: feed.rest is not None and feed.rest.token_url is not None,
        "is about the cookies that come with a token, and no token is fetched without "
        "`rest.token_url`. Remove it.",
    ),
    Need(
        ("source.snapshot",),
        lambda feed: feed.rest is None,
        "is about files, and what [rest] reads says itself what is all there is. Remove it. "
        "[removed] says what happens to records that are missing.",
    ),
    Need(
        ("source.columns",),
        lambda feed: feed.rest is None,
        "is about files, and what [rest] reads has the standard's properties. Remove it.",
    ),
    Need(
        ("source.without",),
        lambda feed: feed.rest is None,
        "is about files. Leave what will not come again out of `rest.collections`, and remove it.",
    ),
    Need(
        ("source.repair",),
        lambda feed: feed.rest is None,
        "is about what spreadsheets do to files, and [rest] reads none. Remove it.",
    ),
    Need(
        ("run.cluster",),
        lambda feed: bool(feed.run.runner),
        "is the address of a cluster, and no `run.runner` uses one. Set `run.runner` too, or "
        "remove it: `run.processes` sends from this machine.",
    ),
    Need(
        ("target.staging",),
        lambda feed: feed.target.url != SANDBOX,
        'has no effect beside `url = "sandbox"`, which may always be probed. Remove it.',
    ),
)


def unmet_needs(feed: Feed, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each setting of a feed file that has no effect there.

    `document` is the file as it is written, since models also have what a profile says.
    """
    idle = {
        key: need.says
        for need in reversed(NEEDS)
        if not need.is_met(feed)
        for key in need.keys
        if _is_said(feed, document, key)
    }
    yield from (f"`{key}` {says}" for key, says in idle.items())
    yield from _idle_in_layout(feed, frozenset(key.removeprefix("source.") for key in idle))


def _is_said(feed: Feed, document: Mapping[str, Any], key: str) -> bool:
    """Return whether a file sets a key, and not to nothing: a program may write every key."""
    table, _, name = key.rpartition(".")
    value = (document.get(table, {}) if table else document).get(name)
    if value is False:
        model = getattr(feed, table) if table else feed
        return type(model).model_fields[name].default is not False
    return value is not None and value not in ("", [], {})


def _idle_in_layout(feed: Feed, refused: frozenset[str]) -> Iterator[str]:
    """Yield the settings of `[source]` that the layout in use has no use for.

    If the layout is only recognized when the drop is read, the drop is refused then. Settings that
    are `refused` already are left out.
    """
    layout = "oneroster" if feed.rest else feed.layout
    if feed.source.said - refused and layout != "auto" and not layout.endswith(".toml"):
        # Loads every layout, which commands that read no drop do not need.
        from transforms.sources import idle_settings

        dialect = feed.source.dialect("", date.min)
        for sentence in idle_settings(layout, replace(dialect, said=dialect.said - refused)):
            yield f"`source` has {sentence}."
