"""Which roles are left to one person, of those that a drop says and those of the roster before it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from transforms.carrying import Carrying
from transforms.parts import Part, folded_again

# The role in classes of which a role was made.
OF = "#of"
Role = tuple[str, str]


@dataclass(frozen=True)
class Record:
    """What a drop and the roster before it say of the roles of one person, and what ends by name (`part`, org, role)."""

    now: list[Part]
    known_by: list[Part]
    before: list[Part]
    known_before: list[Part]
    ended_before: list[Part]
    ended: list[tuple[str | None, str | None, str | None]]


@dataclass(frozen=True)
class Rules:
    """How roles are spelt in the target, and whether anybody still has a role in a class of an organisation."""

    carrying: Carrying
    enrolled: Callable[[str], set[Role]]

    def role(self, cells: Part) -> Role:
        """What a role of the source is in the target."""
        return cells["orgSourcedId"], self.carrying.maps.get("roles", {}).get(cells["role"], cells["role"])

    def holds(self, person: str, cells: Part) -> bool:
        """Whether what a role was made of is still there; one that was made of nothing stands by itself."""
        if OF not in cells:
            return True
        said = cells[OF]
        return (cells["orgSourcedId"], self.carrying.maps.get("enrollment_roles", {}).get(said, said)) in self.enrolled(
            person
        )


def left(person: str, record: Record, rules: Rules) -> tuple[str | None, str | None, str | None, str]:
    """Give a person's roles, what they are known by and which have ended; and the rule by which that cannot be, if so."""
    known = {one["sourcedId"] for one in record.known_before}
    told = {part for part, _, _ in record.ended} | {one["sourcedId"] for one in record.known_by}
    stay = [one for one in record.known_before if one["sourcedId"] not in told and rules.holds(person, one)]
    over = {rules.role(one) for one in record.known_before if one not in stay}
    named = [(org, role) for part, org, role in record.ended if part not in known]
    over |= {rules.role({"orgSourcedId": org, "role": role}) for org, role in named if org and role}
    here, staying = {_role(one) for one in record.now}, {rules.role(one) for one in stay}
    gone = over - here - staying
    apart = here - staying | gone
    roles = [*record.now, *(one for one in record.before if one not in record.now and _role(one) not in apart)]
    unclear = not all(org and role for org, role in named)
    if unclear or not roles:
        rule = "part_removed" if unclear else "role_missing" if record.ended else "last_role"
        return folded_again(record.before), folded_again(record.known_before), folded_again(record.ended_before), rule
    ended = {_role(one) for one in record.ended_before} | gone
    tombs = ({"orgSourcedId": org, "role": role} for org, role in ended - {_role(one) for one in roles})
    return folded_again(roles), folded_again([*record.known_by, *stay]), folded_again(tombs), ""


def _role(cells: Part) -> Role:
    return cells["orgSourcedId"], cells["role"]
