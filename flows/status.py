"""`roster status`: of each feed its last runs, who is running, what is held and what is stale."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from connectors.ledger import Ledger
from flows.feeds.keys import key_of
from flows.feeds.status import status_of
from flows.ledgers import ledger_of
from flows.result import DONE, FAILED, HELD
from flows.showing import Screen
from flows.status_report import as_object, show

# How many runs of a feed are shown, and how many with `--all`.
FEW, MANY = 3, 20


def status(drops: Sequence[Path], state: Path, environment: Mapping[str, str], *, every: bool, as_json: bool) -> int:
    """Tell how feeds stand, those named or all; `every` shows more runs. Gives the exit code, 1 before 3.

    Raises `SettingsError` for a drop or a feed's file that cannot be read.
    """
    now = datetime.now(UTC)
    named = {key_of(drop, environment): str(drop) for drop in drops}
    with Ledger.reading(ledger_of(state, environment)) as ledger:
        feeds = [status_of(key, named.get(key, ""), ledger, now) for key in named or ledger.feeds()]
    codes = {feed.exit_code for feed in feeds}
    code = next((one for one in (FAILED, HELD) if one in codes), DONE)
    most = MANY if every else FEW
    with suppress(BrokenPipeError):
        if as_json:
            print(json.dumps(as_object(feeds, state, code, most)), flush=True)
        else:
            show(Screen(), feeds, state, environment, now, most)
    return code
