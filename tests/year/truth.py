"""The true district and the target as comparable views, and their differences."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tests.year.district import PRINCIPAL, District
from tests.year.exports import Form
from tests.year.target import Records

Key = tuple[str, ...]
View = dict[Key, tuple[str, ...]]
CONTACTS = ("parent", "guardian", "relative")


@dataclass(frozen=True)
class Harm:
    """One record that a night made wrong: a person, a class, a seat or another."""

    what: str  # what happened to it
    key: Key

    @property
    def kind(self) -> str:
        """The kind of the record."""
        return kind_of(self.key)


def kind_of(key: Key) -> str:
    """Return the kind of a key. Students and staff are different kinds."""
    if key[0] == "seat":
        return f"seat of a {key[3]}"
    return ("student" if key[1][0].isdigit() else "staff") if key[0] == "person" else key[0]


def true(form: Form, now: District) -> View:
    """Return what a target should hold of a district, as far as a layout can express it."""
    view: View = {("school", one.id): (one.name,) for one in now.schools.values()}
    view |= {
        ("person", one.id): (
            one.given,
            one.family,
            one.username,
            one.email,
            "" if form == "clever" and one.role == PRINCIPAL else one.number,
            one.role,
            *(
                (one.school, "" if one.grade is None else str(one.grade))
                if form != "canvas"
                else ("", "")
            ),
        )
        for one in now.people.values()
    }
    view |= {("class", one.id): (one.title, one.school) for one in now.groups.values()}
    view |= {("seat", group, person, role): ("1",) for (group, person), role in now.seats.items()}
    if form != "canvas":
        view |= {("contact", one.given, one.family): ("1",) for one in now.contacts.values()}
        view |= {
            ("parents", one.id): _names(
                now.contacts[contact].given + " " + now.contacts[contact].family
                for contact in one.contacts
            )
            for one in now.students()
        }
    if form == "bulk":
        view |= {("born", one.id): (one.born,) for one in now.students()}
    return view


def held(form: Form, records: Records, day: str) -> View:
    """Return what a target holds on a day: enabled users, and open classes and enrollments."""
    view: View = {}
    several: Counter[Key] = Counter()
    for (entity, sourced_id), record in records.items():
        if record.get("status") == "tobedeleted":
            continue
        match entity:
            case "orgs" if record["type"] == "school":
                view["school", sourced_id] = (record["name"],)
            case "users" if record.get("enabledUser") != "false":
                roles = sorted({one["role"] for one in record.get("roles", [])})
                if roles and roles[0] in CONTACTS:
                    several["contact", record["givenName"], record["familyName"]] += 1
                else:
                    cells = [
                        str(record.get(name) or "")
                        for name in ("givenName", "familyName", "username", "email", "identifier")
                    ]
                    school = (record.get("primaryOrg") or {}).get("sourcedId") or ""
                    if form != "canvas" and "student" in roles:
                        parents = (
                            records["users", agent["sourcedId"]]
                            for agent in record.get("agents") or []
                        )
                        view["parents", sourced_id] = _names(
                            f"{one['givenName']} {one['familyName']}" for one in parents
                        )
                    view["person", sourced_id] = (
                        *cells,
                        ",".join(roles),
                        school,
                        ",".join(record.get("grades") or []),
                    )
            case "classes":
                view["class", sourced_id] = (record["title"], record["school"]["sourcedId"])
            case "enrollments" if not record.get("endDate") or record["endDate"] > day:
                several[
                    "seat",
                    record["class"]["sourcedId"],
                    record["user"]["sourcedId"],
                    record["role"],
                ] += 1
            case "demographics" if form == "bulk":
                view["born", sourced_id] = (record.get("birthDate") or "",)
    return view | {key: (str(count),) for key, count in several.items()}


def _names(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(sorted(names))


def harms(before: View, after: View, truth: View) -> list[Harm]:
    """Return the records that a night has changed to something untrue."""
    found = []
    for key in before.keys() | after.keys():
        was, now, right = before.get(key), after.get(key), truth.get(key)
        # A new person with a wrong cell harms nobody, and is corrected with the export.
        newcomer = was is None and right is not None
        if now not in (was, right) and not newcomer:
            found.append(
                Harm("removed" if now is None else "made up" if was is None else "changed", key)
            )
    return found


def missing(after: View, truth: View) -> list[Harm]:
    """Return the records that are true, and that the target does not have."""
    return [Harm("not delivered", key) for key, right in truth.items() if after.get(key) != right]
