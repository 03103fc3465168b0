"""Ids made of personal data: digests, the same every night, and the old id for whoever was sent under one."""

from __future__ import annotations

import hmac
import re
from pathlib import Path

import pytest

from tests.layouts.clever import clever
from tests.layouts.normalizing import column, judged, normalized, written
from transforms.forget import id_digest
from transforms.layouts.ids import DigestIds, redact_ids, shorten
from transforms.roster import Roster

HEADER = (
    "School_id,Student_id,First_name,Last_name,Contact_name,Contact_email,Contact_relationship\n"
)
MOTHER = "1,s1,Ann,Lee,Rosa Ito,Rosa.Ito@example.edu,Mother\n"
OLD = "contact/rosa.ito@40example.edu/Rosa@20Ito"
GUARDIANS = {
    "School": "SIS ID,Name\n1,Elm",
    "Section": "SIS ID,School SIS ID,Section Name\nc1,1,Art",
    "Student": "SIS ID,School SIS ID,Username,First Name,Last Name\ns1,1,ann,Ann,Lee",
    "Teacher": "SIS ID,School SIS ID,Username,First Name,Last Name\nt1,1,cy,Cy,Dow",
    "StudentEnrollment": "Section SIS ID,SIS ID\nc1,s1",
    "TeacherRoster": "Section SIS ID,SIS ID\nc1,t1",
    "user": "Email,First Name,Last Name,Phone,SIS ID\nRosa.Ito@example.edu,Rosa,Ito,,",
    "guardianrelationship": "SIS ID,Email,Role\ns1,rosa.ito@example.edu,parent",
}


def digest(plain: str) -> str:
    """The id of a contact, in the district `elm`."""
    return f"contact-{hmac.digest(b'elm', plain.encode(), 'sha256').hex()[:32]}"


def contacts(roster: Roster) -> list[str]:
    """The ids of all who are there for a child."""
    users = roster.tables["users"].frame["sourcedId"]
    return sorted(users.filter(users.str.contains("^(contact|guardian)")))


def of(folder: Path, students: str, digests: DigestIds | None = None, prefix: str = "") -> Roster:
    """Normalize students with contacts."""
    return normalized(
        clever(folder, students=HEADER + students),
        digests=digests or DigestIds("elm"),
        prefix=prefix,
    )


def test_no_id_has_a_name_or_an_address(tmp_path: Path) -> None:
    """Neither of a contact with an address, nor of one without; each child is linked to its own."""
    roster = of(tmp_path, MOTHER + "1,s2,Bo,Ray,Max Ray,,Father\n")

    ids = contacts(roster)
    linked = column(roster.tables["users"].frame, "agentSourcedIds")
    assert [True, True] == [re.fullmatch("contact-[0-9a-f]{32}", one) is not None for one in ids]
    assert set(ids) == {linked["s1"], linked["s2"]}


def test_guardians_by_address_have_digests_too(tmp_path: Path) -> None:
    """Also in the list of a student, whose join has the address in lower case."""
    roster = normalized(written(tmp_path, **GUARDIANS), digests=DigestIds("elm"))

    (mother,) = contacts(roster)
    assert mother == DigestIds("elm").id_of("guardian/rosa.ito@40example.edu")
    assert mother == column(roster.tables["users"].frame, "agentSourcedIds")["s1"]
    assert mother in roster.tables["roles"].frame["userSourcedId"].to_list()


def test_an_id_hangs_on_the_salt_and_on_nothing_else(tmp_path: Path) -> None:
    """The same tomorrow and with a prefix; another in another district."""
    here, tomorrow, there = (
        of(tmp_path, MOTHER, DigestIds(salt)) for salt in ("elm", "elm", "oak")
    )
    prefixed = of(tmp_path, MOTHER, DigestIds("elm", prefix="lv-"), prefix="lv-")

    users = prefixed.tables["users"].frame["sourcedId"].to_list()
    assert contacts(here) == contacts(tomorrow)
    assert contacts(here) != contacts(there)
    assert f"lv-{contacts(here)[0]}" in users


def test_one_mother_is_one_person_however_she_is_spelled(tmp_path: Path) -> None:
    """Case, spaces and the form of accents make no other person; another name at one address does."""
    students = (
        MOTHER
        + "1,s2,Bo,Ray,Rosa   Ito,rosa.ito@example.edu,Mother\n"
        + "2,s3,Cy,Kim,ROSA ITO,ROSA.ITO@example.edu,Mother\n"
        + "2,s4,Di,Fox,José Ito,rosa.ito@example.edu,Father\n"
        + "2,s5,Ed,Fox,Jose\u0301 Ito,rosa.ito@example.edu,Father\n"
    )

    roster = of(tmp_path, students)

    linked = column(roster.tables["users"].frame, "agentSourcedIds")
    assert 2 == len(contacts(roster))
    assert 1 == len({linked[one] for one in ("s1", "s2", "s3")})
    assert 1 == len({linked[one] for one in ("s4", "s5")})
    assert [] == judged(roster).findings.errors.rows()


def test_who_was_sent_keeps_the_id(tmp_path: Path) -> None:
    """Also in another spelling, and each of several that were sent its own; whoever is new gets a digest."""
    students = (
        MOTHER
        + "1,s2,Bo,Ray,ROSA ITO,rosa.ito@example.edu,Mother\n1,s3,Cy,Kim,Max Kim,max@example.edu,Father\n"
    )
    other = "contact/rosa.ito@40example.edu/ROSA@20ITO"

    one = of(tmp_path, students, DigestIds("elm", frozenset({OLD})))
    both = of(tmp_path, students, DigestIds("elm", frozenset({OLD, other})))
    prefixed = of(
        tmp_path, MOTHER, DigestIds("elm", frozenset({f"lv-{OLD}"}), prefix="lv-"), prefix="lv-"
    )

    new = DigestIds("elm").id_of("contact/max@40example.edu/Max@20Kim")
    assert sorted([OLD, new]) == contacts(one)
    assert sorted([OLD, other, new]) == contacts(both)
    assert f"lv-{OLD}" in prefixed.tables["users"].frame["sourcedId"].to_list()


def test_who_was_sent_under_a_long_id_keeps_it() -> None:
    """It ended in a digest, so that it has to be found as it was."""
    name = "@d0@b0" * 60
    was = DigestIds("elm", frozenset({shorten(f"contact/a@40example.edu/{name}")}))

    assert shorten(f"contact/a@40example.edu/{name}") == was.id_of(
        f"contact/a@40example.edu/{name}"
    )


@pytest.mark.parametrize("known", [OLD, "contact/rosa.ito@40example.edu/rosa@20ito"])
def test_who_is_forgotten_keeps_the_id_by_which_that_is_known(known: str) -> None:
    """Only a digest of that one is kept; as it was, or as all its spellings have it."""
    digests = DigestIds("elm", forgotten=frozenset({id_digest(known)}))

    assert known == digests.id_of(OLD)
    assert digests.id_of("contact/s1").startswith("contact-")


def test_a_salt_is_not_shown() -> None:
    """It may be a secret."""
    assert "elm" not in repr(DigestIds("elm"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (f"2 of users ({OLD}, s1): no", "2 of users (contact/…d, s1): no"),
        ("lv-contact/s1/Rosa.", "lv-contact/…d."),
        ("guardian/a@40example.edu", "guardian/…d"),
        ("role/contact@2fa@4040example.edu/1/parent", "role/…d"),
        ("enrollment/contact@2fs1@2fRosa/1/parent", "enrollment/…d"),
        ("enrollment/class@2f7A@4020Sc/H82@40x/student", None),
        ("contact/C-77, course-named/1/Art@206, /state/runs/r1/plan.md", None),
    ],
)
def test_readable_ids_are_shortened_where_people_read(text: str, shown: str | None) -> None:
    """To a digest that tells them apart; other ids and paths stay."""
    assert (shown or text) == re.sub("…[0-9a-f]{8}", "…d", redact_ids(text))


def test_an_accent_makes_no_other_mother(tmp_path: Path) -> None:
    """José and Jose at one address are one father; whoever was sent with an accent keeps that id."""
    spelled = (
        "1,s1,Ann,Lee,Jose Ito,jose@example.edu,Father\n",
        "1,s2,Bo,Ray,José  ITO,jose@example.edu,Father\n",
    )
    plain, accented = (
        digest(f"contact/jose@40example.edu/{name}@20ito") for name in ("jose", "jos@c3@a9")
    )

    new = of(tmp_path, spelled[0] + spelled[1])
    alone = of(tmp_path, spelled[1])
    sent = DigestIds("elm", digests=frozenset({accented}))
    later = of(tmp_path, spelled[0] + spelled[1], sent)
    both = of(
        tmp_path, spelled[0] + spelled[1], DigestIds("elm", digests=frozenset({accented, plain}))
    )

    assert [plain] == contacts(new) == contacts(alone)
    assert [accented] == contacts(later)
    assert sorted([accented, plain]) == contacts(both)


def test_who_is_forgotten_with_an_accent_stays_so() -> None:
    """Only a digest of that id is kept."""
    readable = "contact/jose@40example.edu/Jos@c3@a9@20Ito"
    was = digest("contact/jose@40example.edu/jos@c3@a9@20ito")

    assert was == DigestIds("elm", forgotten=frozenset({id_digest(was)})).id_of(readable)
