"""An order of requests that does not depend on chance, and that shows a broken law.

Several requests are under way at a time, but only within one collection. Between collections the
order is that of arrival. Within a collection the laws say that a record comes after the records
that it names, that it is deleted before them, that deletes are last, and that a record is read
before it is written. Requests that no law orders are sorted by id. If a law is broken, a request is
in another place.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import groupby

from tests.golden.requests import WRITES, Request

Address = tuple[str, str]


@dataclass
class Order:
    """Orders requests by the records that they name."""

    # For each record, the ids that it named when it was last written.
    names: dict[Address, frozenset[str]] = field(default_factory=dict)

    def over(self, arrived: list[Request]) -> list[Request]:
        """Return the requests of one command in order."""
        return [one for part in _parts(arrived) for one in self._ordered(part)]

    def _ordered(self, part: list[Request]) -> list[Request]:
        steps = self._steps(part)
        places = sorted(
            range(len(part)), key=lambda place: (steps[place], part[place].address[1], place)
        )
        return [part[place] for place in places]

    def _steps(self, part: list[Request]) -> list[int]:
        """Number the steps.

        A request is one step after the requests for which it had to wait, if they arrived before.
        """
        steps: list[int] = []
        same: dict[str, int] = {}
        created: dict[str, int] = {}
        deleted: dict[str, int] = {}
        for request in part:
            sourced_id = request.address[1]
            waits = [
                created[one] + 1 for one in request.names & created.keys() if one != sourced_id
            ]
            if request.method == "DELETE":
                waits += [
                    step + 1
                    for one, step in deleted.items()
                    if sourced_id in self._named_by(request, one)
                ]
            steps.append(max([same.get(sourced_id, 0), *waits]))
            same[sourced_id] = steps[-1]
            if request.method == "DELETE":
                deleted[sourced_id] = steps[-1]
            elif self._is_new(request):
                created[sourced_id] = steps[-1]
        return steps

    def _named_by(self, request: Request, other: str) -> frozenset[str]:
        return self.names.get((request.address[0], other), frozenset())

    def _is_new(self, request: Request) -> bool:
        """Return whether a request writes a record for the first time; remember what it names."""
        if request.method not in WRITES:
            return False
        is_new = request.address not in self.names
        self.names[request.address] = request.names
        return is_new


def _parts(arrived: list[Request]) -> Iterator[list[Request]]:
    """Split where the collection changes, and before its deletes if no write follows them."""
    for _, group in groupby(arrived, lambda one: one.address[0]):
        part = list(group)
        first = next((place for place, one in enumerate(part) if one.method == "DELETE"), len(part))
        late = any(one.method in WRITES for one in part[first:])
        yield from [part] if late or not first else [part[:first], part[first:]]
