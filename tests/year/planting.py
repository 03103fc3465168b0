"""Plants faults into a year, and returns their outcomes.

Each fault is planted in a copy of the year as it was before that night, so faults do not interact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cache, partial
from itertools import takewhile
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Literal

from flows.errors import SettingsError
from flows.result import HELD, REFUSED, RunResult
from tests.year.calendar import ASKS, NIGHTS, Size
from tests.year.district import District
from tests.year.exports import Form
from tests.year.faults.fault import Fault, Night
from tests.year.living import nights
from tests.year.running import Feed, told
from tests.year.truth import Harm, View, harms, kind_of, missing, true

ASKED = (HELD, REFUSED)
Which = Literal["", "again", "mended"]
# How many nights old the export is that is sent again, or that stands in for last year's.
EARLIER = 26
LATELY = 3


@dataclass(frozen=True)
class Outcome:
    """The outcome of one night."""

    name: str  # of the fault
    form: Form
    seed: int
    day: date
    code: int  # the exit code
    told: str  # the reasons that were reported to people
    harms: tuple[Harm, ...]  # who was harmed
    there: Counter[str] = field(default_factory=Counter)  # how many of each kind there were before
    missing: tuple[Harm, ...] = ()  # what has not arrived
    # Blank on the night of the fault, `again` on the next one, which has the same fault, and
    # `mended` on the one after that, which has a correct export.
    which: Which = ""

    @property
    def asked(self) -> bool:
        """Whether the run was held or refused, so that a person must decide."""
        return self.code in ASKED

    @property
    def where(self) -> str:
        """The night, for messages."""
        return (
            f"{self.name}{self.which and f' ({self.which})'}: layout {self.form}, seed "
            f"{self.seed}, night of {self.day}"
        )

    @property
    def harmed(self) -> str:
        """How many of each kind were harmed, and how; blank for none."""
        kinds = Counter(f"{one.kind} {one.what}" for one in self.harms)
        return ", ".join(f"{count} x {kind}" for kind, count in kinds.most_common())

    @property
    def kinds(self) -> Counter[str]:
        """The number of harmed of each kind."""
        return Counter(one.kind for one in self.harms)

    def __str__(self) -> str:
        first = next((f" (such as {' '.join(one.key)})" for one in self.harms), "")
        return (
            f"{self.where}: exit {self.code}, harmed: {self.harmed or 'nobody'}{first}. Told: "
            f"{self.told or 'nothing'}"
        )


@dataclass
class Year:
    """A year in one layout and with one seed, up to some night."""

    form: Form
    seed: int
    districts: Sequence[District]
    feed: Feed
    _seen: tuple[date, View] | None = None

    @classmethod
    def of(cls, form: Form, seed: int, folder: Path, size: Size | None = None) -> Year:
        """Start a year with nothing loaded."""
        return cls(form, seed, district_of(seed, size), Feed(form, folder))

    def ordinary(self, number: int) -> Outcome:
        """Run a night without faults, and approve what it holds."""
        now = self.districts[number]
        found, result = self._passed("no fault", self.feed, now, None, self._before(now))
        return self._settled(found, result, self.feed, now)

    def planted(self, fault: Fault, number: int, folder: Path, *, alone: bool) -> Iterator[Outcome]:
        """Run a night with a fault in a copy of the year. `number` is the next night of the year.

        Unless `alone`, the fault occurs on the next night too, and then the export is corrected.
        """
        feed = self.feed.copy(folder)
        now = self.districts[number]
        yield self._passed(
            fault.name, feed, now, fault.texts(self._night(fault.name, number)), self._before(now)
        )[0]
        after = self.districts[number + 1 : number + 3]
        if alone or len(after) < 2 or any(one.day in ASKS for one in after):
            return
        now = self.districts[number + 1]
        texts = fault.texts(self._night(fault.name, number + 1))
        found, result = self._passed(fault.name, feed, now, texts, feed.view(now.day))
        yield replace(found, which="again")
        # The person who must decide discards the plan, and has the export corrected.
        feed.discard(result.plan)
        # A corrected delta has all changes since the last correct one.
        now, feed.last = self.districts[number + 2], self.districts[number - 1] if number else None
        found, result = self._passed(fault.name, feed, now, None, feed.view(now.day))
        yield replace(self._settled(found, result, feed, now), which="mended")

    def _passed(
        self, name: str, feed: Feed, now: District, texts: dict[str, str] | None, before: View
    ) -> tuple[Outcome, RunResult]:
        truth = true(self.form, now)
        result = feed.night(now, texts)
        there = Counter(map(kind_of, before))
        found = sorted(harms(before, feed.view(now.day), truth), key=lambda one: one.key)
        outcome = Outcome(
            name, self.form, self.seed, now.day, result.exit_code, told(result), tuple(found), there
        )
        return outcome, result

    def _settled(self, found: Outcome, result: RunResult, feed: Feed, now: District) -> Outcome:
        """Approve what a correct export held, and enter what has not arrived after that."""
        if result.plan:
            with suppress(SettingsError):  # a newer roster may have replaced all of it
                feed.approve(result.plan, now.day)
            # The next run sends the records that waited for held ones.
            feed.again(now.day)
        return replace(found, missing=tuple(missing(feed.view(now.day), true(self.form, now))))

    def _before(self, now: District) -> View:
        """Return what the target holds before a night, which is the same for all its faults."""
        if self._seen is None or self._seen[0] != now.day:
            self._seen = now.day, self.feed.view(now.day)
        return self._seen[1]

    def differs(self, fault: Fault, number: int) -> bool:
        """Return whether the fault changes the files of a night."""
        return (
            fault.texts(self._night(fault.name, number))
            != self._night(fault.name, number).files().written()
        )

    def _night(self, name: str, number: int) -> Night:
        before, earlier, lately = (
            self.districts[max(0, number - back)] for back in (1, EARLIER, LATELY)
        )
        other = partial(_another, self.seed, number)
        return Night(
            self.form,
            self.districts[number],
            before,
            earlier,
            lately,
            Random(f"{name} {self.seed}"),
            other,
        )


@cache
def district_of(seed: int, size: Size | None = None, count: int = NIGHTS) -> tuple[District, ...]:
    """Return the district of each night of a year."""
    return tuple(nights(seed, size, count))


def _another(seed: int, number: int) -> District:
    return district_of(seed + 1000, None, min(number, EARLIER) + 1)[-1]


def lived(
    year: Year, faults: Iterable[Fault], each: int = 1, until: int | None = None
) -> Iterator[Outcome]:
    """Run a year, and plant each fault that its layout can have on some random nights."""
    chance = Random(year.seed)
    last = until or len(year.districts)
    when: dict[int, list[Fault]] = {}
    for fault in faults:
        if year.form in fault.forms:
            for number in chance.sample(_usual(year, fault.until)[2:last], each):
                when.setdefault(number, []).append(fault)
    for number in range(last):
        yield from _all_planted(year, when.get(number, []), number, alone=False)
        yield year.ordinary(number)


def visited(
    form: Form, seed: int, faults: Sequence[Fault], folder: Path, day: date
) -> Iterator[Outcome]:
    """Run the nights around a day, and then plant each fault.

    The first load is two nights before the day, and the last one before the faults is the night
    after it.
    """
    districts = list(takewhile(lambda one: one.day <= day + timedelta(days=4), nights(seed)))
    special = next(place for place, district in enumerate(districts) if district.day >= day)
    year = Year(form, seed, districts, Feed(form, folder / form))
    for number in range(special - 2, special + 2):
        yield year.ordinary(number)
    last = districts[special + 2].day
    possible = [one for one in faults if form in one.forms and last <= one.until]
    yield from _all_planted(year, possible, special + 2, alone=True)


def _usual(year: Year, until: date) -> list[int]:
    """Return the nights up to a day on which nothing should be held."""
    return [
        number
        for number, district in enumerate(year.districts)
        if district.day not in ASKS and district.day <= until
    ]


def _all_planted(
    year: Year, faults: Iterable[Fault], number: int, *, alone: bool
) -> Iterator[Outcome]:
    for fault in faults:
        with TemporaryDirectory(dir=year.feed.folder.parent) as folder:
            yield from year.planted(fault, number, Path(folder) / "copy", alone=alone)
