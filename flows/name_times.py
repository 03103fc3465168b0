"""The order of several drops of one day, by the times in their names."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise

from flows.dates import day_of_match
from flows.errors import SettingsError

# A time that follows a day, as systems write it: 0200, 02-00-00, T020000Z, _2_00_PM, 14h00.
TIME = re.compile(
    r"(?P<lead>[Tt]|[-_. ]*)"
    r"(?P<hour>\d{1,2})"
    r"(?:(?P<separator>[-_.:h ]?)(?P<minute>[0-5]\d)"
    r"(?:(?P=separator)(?P<second>[0-5]\d)(?:[.,]?(?P<fraction>\d{3}|\d{6}))?)?)?"
    r"(?:[-_. ]?(?P<ampm>[AaPp][Mm]))?"
    r"(?P<zone>[Zz]|[-+](?:0\d|1[0-4]):?[0-5]\d)?"
    r"(?![0-9A-Za-z])"
)
# Seconds or milliseconds since 1970.
EPOCH = re.compile(r"(?<!\d)(?P<seconds>1[5-9]\d{8}|[2-3]\d{9})(?P<fraction>\d{3})?(?!\d)")
# The groups with which a feed's own pattern orders drops of one day.
TIME_GROUPS = ("hour", "minute", "second", "ampm")
NUMBER_GROUP = "number"
ORDER_GROUPS = (*TIME_GROUPS, NUMBER_GROUP)
NOON = 12
NEXT_STEP = (
    "Remove one of them, or let `drop_date_pattern` in the feed file say how the names are "
    "ordered: by the groups `hour`, `minute` and `second`, or by `number`."
)


@dataclass(frozen=True)
class NameTime:
    """When, or as which one of its day, a drop was made."""

    form: str  # how the name says it; only times of one form are compared
    moment: tuple[float, ...]  # the greater, the newer
    is_bare: bool = False  # a few digits that may as well be the number of a school or a year


def in_order(
    names: Collection[str], changed: Mapping[str, datetime | None], pattern: re.Pattern[str]
) -> list[str]:
    """Return the names of drops of one day, oldest first.

    `changed` gives their modification times, if they are known: they never order drops, but they
    may contradict. Raises `SettingsError` if the order is not certain.
    """
    if len(names) == 1:
        return list(names)
    times = {name: _only_time(name, pattern) for name in sorted(names)}
    if None in times.values() or len({found.form for found in times.values() if found}) > 1:
        raise SettingsError(_unlike(times))
    known = {name: found for name, found in times.items() if found}
    ordered = sorted(known, key=lambda name: known[name].moment)
    for one, other in pairwise(ordered):
        if known[one].moment == known[other].moment:
            raise SettingsError(
                f"{one} and {other} are of the same day and time: which one is newer is not "
                f"certain. {NEXT_STEP}"
            )
    if known[ordered[-1]].is_bare and (newer := _changed_later(ordered, changed)):
        raise SettingsError(
            f"{ordered[-1]} and {newer} are of the same day. By the digits in its name, "
            f"{ordered[-1]} is newer, and {newer} was changed later. {NEXT_STEP}"
        )
    return ordered


def _unlike(times: Mapping[str, NameTime | None]) -> str:
    """Say which two drops cannot be compared."""
    if not any(times.values()):
        one, other = list(times)[:2]
        return (
            f"{one} and {other} are of the same day, and their names say no time: which one is "
            f"newer is not certain. {NEXT_STEP}"
        )
    forms: dict[str, str] = {}
    for name, found in times.items():
        forms.setdefault(found.form if found else "", name)
    one, other = list(forms.values())[:2]
    return (
        f"{one} and {other} are of the same day, and their names do not say the time in the same "
        f"way: which one is newer is not certain. {NEXT_STEP}"
    )


def _changed_later(ordered: list[str], changed: Mapping[str, datetime | None]) -> str:
    """Return the name of a drop that was changed after the last one; blank if none was."""
    last = changed.get(ordered[-1])
    later = (name for name in ordered if last and (when := changed.get(name)) and when > last)
    return next(later, "")


def _only_time(name: str, pattern: re.Pattern[str]) -> NameTime | None:
    """Return the time in a drop's name; None if there is none, or more than one."""
    found = set(_times(name, pattern))
    return found.pop() if len(found) == 1 else None


def _times(name: str, pattern: re.Pattern[str]) -> Iterator[NameTime]:
    for match in pattern.finditer(name):
        day = day_of_match(match)
        if day is None:
            continue
        if pattern.groupindex.keys() & set(ORDER_GROUPS):
            own = _time_of_groups(match)
        else:
            own = _time_after(name[match.end() :], day) or _epoch(name, day)
        if own:
            yield own


def _time_after(rest: str, day: date) -> NameTime | None:
    """Return the time at the beginning of what follows a day."""
    match = TIME.match(rest)
    if match is None or (match["minute"] is None and not match["ampm"]):
        return None
    seconds = _seconds(match["hour"], match["minute"], match["second"], match["ampm"])
    if seconds is None or (len(match["hour"]) == 1 and not match["ampm"]):
        return None
    has_zone = bool(match["zone"])
    digits = not (match["separator"] or match["ampm"] or has_zone)
    is_bare = digits and match["lead"] not in ("", "T", "t")
    # 2026 and 2027 are years beside a day in 2026, and no times.
    is_year = is_bare and not match["second"] and _is_near(match["hour"] + match["minute"], day)
    form = f"{match['separator']}{bool(match['second'])}{bool(match['ampm'])}{has_zone}"
    fraction = float(f"0.{match['fraction'] or 0}")
    moment = (seconds + fraction - _offset(match["zone"]),)
    return None if is_year else NameTime(f"time {form}", moment, is_bare)


def _is_near(digits: str, day: date) -> bool:
    return abs(int(digits) - day.year) <= 1


def _seconds(hour: str, minute: str | None, second: str | None, ampm: str | None) -> int | None:
    """Return the seconds since midnight; None if that is no time of a day."""
    hours = int(hour)
    if ampm:
        if not 1 <= hours <= NOON:
            return None
        hours = hours % NOON + (NOON if ampm.lower() == "pm" else 0)
    try:
        clock = time(hours, int(minute or 0), int(second or 0))
    except ValueError:
        return None
    return clock.hour * 3600 + clock.minute * 60 + clock.second


def _offset(zone: str | None) -> int:
    """Return the seconds by which a zone is ahead of UTC."""
    if not zone or zone in "Zz":
        return 0
    minutes = int(zone[1:3]) * 60 + int(zone[-2:])
    return minutes * (60 if zone[0] == "+" else -60)


def _epoch(name: str, day: date) -> NameTime | None:
    """Return the only number in a name that means a moment of about the day, in seconds."""
    moments = {
        int(match["seconds"]) + int(match["fraction"] or 0) / 1000 for match in EPOCH.finditer(name)
    }
    near = {
        moment
        for moment in moments
        if abs(datetime.fromtimestamp(moment, UTC).date() - day) <= timedelta(days=1)
    }
    return NameTime("epoch", (near.pop(),)) if len(near) == 1 else None


def _time_of_groups(match: re.Match[str]) -> NameTime | None:
    """Return the time that a feed's own pattern finds."""
    groups = match.groupdict()
    values = {group: groups.get(group) or "" for group in ORDER_GROUPS}
    said = tuple(group for group in ORDER_GROUPS if values[group])
    try:
        number = int(values["number"] or 0)
        hour, minute, second = (values[group] for group in ("hour", "minute", "second"))
        seconds = _seconds(hour or "0", minute, second, values["ampm"]) if hour else 0
    except ValueError:
        return None
    if seconds is None or not said:
        return None
    return NameTime(", ".join(said), (seconds, number))
