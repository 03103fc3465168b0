"""The ledger: what is written is read back, feed by feed, as long as the file lives."""

from __future__ import annotations

import secrets
import sqlite3
import stat
from contextlib import closing
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_frame_equal
from sqlalchemy import select

from connectors.ledger import FeedKey, Ledger, LedgerError
from connectors.ledger.database import make_tables, open_database, version_of
from connectors.ledger.ledger import QUERY_BY_ID_UP_TO
from connectors.ledger.sqlite import Sqlite
from connectors.ledger.tables import RECORDS, VERSION
from tests.strength import expensive
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL

KEY = FeedKey("sandbox", "larkspur-valley")
TEXTS = ("sourcedId", SCHOOL, PARENTS, LABEL, FIELDS)
SCHEMA = dict.fromkeys(TEXTS, pl.String) | {FINGERPRINT: pl.Int64}
KNOWN_SCHEMA = pl.Schema({"sourcedId": pl.String, "fingerprint": pl.Int64, "status": pl.String})
TOP = 2**63 - 1


def records(*ids: str, fingerprint: int = 1, **cells: str | None) -> pl.DataFrame:
    """Acknowledged records that differ in their ids only."""
    texts = {f"#{name}": value for name, value in cells.items()}
    rows = [
        {"sourcedId": one, FINGERPRINT: fingerprint + place, **texts}
        for place, one in enumerate(ids)
    ]
    return pl.DataFrame(rows, schema=SCHEMA)


def known(ledger: Ledger, key: FeedKey = KEY) -> dict[str, list[tuple[str, int, str]]]:
    """What the ledger knows, as plain values."""
    return {entity: frame.rows() for entity, frame in ledger.known(key).items()}


def test_a_new_ledger_knows_nothing(ledger: Ledger) -> None:
    """A new ledger knows nothing, and says so with the right columns."""
    schema = pl.Schema(
        dict.fromkeys(
            (
                "sourcedId",
                "fingerprint",
                "status",
                "school",
                "parents",
                "label",
                "fields",
                "ends",
                "run",
            ),
            pl.String,
        )
        | {"fingerprint": pl.Int64}
    )

    assert ({}, {}, schema) == (
        ledger.known(KEY),
        ledger.intended(KEY),
        ledger.details(KEY, "users").schema,
    )


def test_an_absent_ledger_knows_nothing_and_is_not_made(path: Path) -> None:
    """Reading a ledger that is not there finds nothing, and makes nothing."""
    with Ledger.reading(path) as ledger:
        found = (ledger.known(KEY), ledger.intended(KEY), ledger.details(KEY, "users").height)

    assert ({}, {}, 0, False) == (*found, path.parent.exists())


def test_an_empty_file_is_read_as_no_ledger(path: Path) -> None:
    """A file that a power loss left empty knows nothing when read, and becomes a ledger when written."""
    path.parent.mkdir()
    path.touch()
    with Ledger.reading(path) as reader:
        read = reader.known(KEY)
    with Ledger(path) as writer:
        writer.record(KEY, "users", records("u"), {}, [], "r1")
        written = known(writer)

    assert ({}, {"users": [("u", 1, "active")]}) == (read, written)


def test_reading_an_absent_ledger_does_not_write(path: Path) -> None:
    """A ledger that was opened to read, and is not there, refuses to be written."""
    with Ledger.reading(path) as ledger, pytest.raises(LedgerError, match="no ledger"):
        ledger.intend(KEY, "users", records("u"), "r1")


def test_what_stands_in_for_an_absent_database_finds_nothing_and_refuses_the_rest(
    path: Path,
) -> None:
    """It has no rows, and nothing is made, written or locked in it."""
    with closing(open_database(path, make=False)) as database:
        rows = database.bulk(select(RECORDS), {"sourced_id": pl.String})
        for refused in (database.writing, database.making, lambda: database.locked("feed")):
            with pytest.raises(LedgerError, match=r"ledger\.db cannot be used: found no ledger"):
                refused()

    assert (0, ["sourced_id"], frozenset()) == (
        rows.height,
        rows.columns,
        database.locked_among(["feed"]),
    )


def test_tables_are_made_once(place: Path | str) -> None:
    """Whoever comes second to making them leaves them as they are."""
    with closing(open_database(place, make=True)) as database:
        before = version_of(database)
        make_tables(database)
        make_tables(database)

        assert (0, VERSION) == (before, version_of(database))


def test_records_are_known_per_entity_in_the_order_of_their_ids(ledger: Ledger) -> None:
    """What was acknowledged is known, with fingerprints over the whole range of 64 bits."""
    ledger.record(KEY, "users", records("u2", fingerprint=TOP), {}, [], "r1")
    ledger.record(KEY, "users", records("u1", fingerprint=-TOP - 1), {}, [], "r1")
    ledger.record(KEY, "orgs", records("o"), {}, [], "r1")

    assert {
        "orgs": [("o", 1, "active")],
        "users": [("u1", -TOP - 1, "active"), ("u2", TOP, "active")],
    } == known(ledger)
    assert KNOWN_SCHEMA == ledger.known(KEY)["users"].schema


def test_records_outlive_the_process(place: Path | str) -> None:
    """A ledger that is opened again knows what was written before."""
    with Ledger(place) as first:
        first.record(KEY, "users", records("u"), {}, [], "r1")
    with Ledger(place) as second:
        found = known(second)

    assert {"users": [("u", 1, "active")]} == found


def test_feeds_do_not_see_each_other(ledger: Ledger) -> None:
    """Each feed into each target has its own records and intents."""
    other = FeedKey("https://api.example.edu", KEY.feed)
    ledger.record(KEY, "users", records("mine"), {}, [], "r1")
    ledger.intend(other, "users", records("theirs"), "r1")

    assert ({"users": [("mine", 1, "active")]}, {}) == (known(ledger), known(ledger, other))
    assert ({}, {"users": frozenset({"theirs"})}) == (ledger.intended(KEY), ledger.intended(other))


def test_a_record_sent_again_is_overwritten(ledger: Ledger) -> None:
    """The newest acknowledgment counts; a deleted record that is sent again is active."""
    ledger.record(KEY, "users", records("u", school="a", label="Ana"), {}, [], "r1")
    ledger.record(KEY, "users", records(), {"deleted": ["u"]}, [], "r2")
    ledger.record(KEY, "users", records("u", fingerprint=7, school="b"), {}, [], "r3")

    assert [("u", 7, "active", "b", None, None, None, None, "r3")] == ledger.details(
        KEY, "users"
    ).rows()


def test_a_deleted_record_keeps_its_row(ledger: Ledger) -> None:
    """Deleting changes status and run; what cannot be deleted since it is not there changes nothing."""
    ledger.record(KEY, "users", records("u", "v", school="s"), {}, [], "r1")
    ledger.record(KEY, "users", pl.DataFrame(), {"deleted": ["u", "nobody"]}, [], "r2")

    expected = [
        ("u", 1, "deleted", "s", None, None, None, None, "r2"),
        ("v", 2, "active", "s", None, None, None, None, "r1"),
    ]
    assert expected == ledger.details(KEY, "users").rows()


def test_intents_stay_until_they_are_answered(ledger: Ledger) -> None:
    """What was answered is no longer intended, whatever the answer; the rest is."""
    ledger.intend(KEY, "users", records("created", "refused", "silent"), "r1")
    ledger.intend(KEY, "users", records("silent", fingerprint=9), "r2")
    ledger.record(KEY, "users", records("created"), {}, ["created", "refused"], "r2")

    assert {"users": frozenset({"silent"})} == ledger.intended(KEY)


def test_intending_nothing_is_no_intent(ledger: Ledger) -> None:
    """A batch without records leaves no trace."""
    ledger.intend(KEY, "users", records(), "r1")

    assert {} == ledger.intended(KEY)


def test_details_of_some(ledger: Ledger) -> None:
    """Details are given for the ids that are asked for, few or many, and for no unknown ones."""
    ids = [f"u{number:05}" for number in range(QUERY_BY_ID_UP_TO + 5)]
    ledger.record(KEY, "users", records(*ids), {}, [], "r1")

    for count in (0, 2, 1001, QUERY_BY_ID_UP_TO + 1):
        asked = pl.Series([*ids[:count], "nobody"], dtype=pl.String)
        assert ids[:count] == ledger.details(KEY, "users", asked)["sourcedId"].to_list()


def test_blanks_are_null_even_if_all_that_come_first_are(path: Path) -> None:
    """A column of text is text, however many nulls it begins with."""
    blank = records(*(f"u{number:06}" for number in range(70_000)))
    with Ledger(path) as ledger:
        ledger.record(KEY, "users", blank, {}, [], "r1")
        ledger.record(KEY, "users", records("v", school="s"), {}, [], "r1")
        schools = ledger.details(KEY, "users")["school"]

    assert (70_000, "s") == (schools.null_count(), schools[-1])


def test_a_refused_write_leaves_nothing_of_itself(ledger: Ledger) -> None:
    """A batch is recorded as a whole or not at all."""
    ledger.intend(KEY, "users", records("u"), "r1")
    broken = pl.concat(
        [records("u"), records("v").with_columns(pl.lit(None, pl.Int64).alias(FINGERPRINT))]
    )
    with pytest.raises(LedgerError):
        ledger.record(KEY, "users", broken, {}, ["u"], "r1")

    assert ({}, {"users": frozenset({"u"})}) == (ledger.known(KEY), ledger.intended(KEY))


def test_the_error_of_a_write_does_not_repeat_what_was_written(ledger: Ledger) -> None:
    """Names of people do not get into messages."""
    broken = records("u", label="Ana Example").with_columns(
        pl.lit(None, pl.Int64).alias(FINGERPRINT)
    )
    with pytest.raises(LedgerError) as caught:
        ledger.record(KEY, "users", broken, {}, [], "r1")

    assert "Ana" not in str(caught.value)


# Text as it is in drops: anything but control characters and halves of surrogate pairs.
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1, max_size=20)
ROWS = st.lists(
    st.fixed_dictionaries({name: TEXT if name == "sourcedId" else st.none() | TEXT for name in TEXTS} | {FINGERPRINT: st.integers(-TOP - 1, TOP)}),
    unique_by=lambda row: row["sourcedId"],
    max_size=6,
)  # fmt: skip


# The examples share a ledger: each has a feed of its own.
@expensive(40, 10)
@given(rows=ROWS, entity=TEXT, feed=TEXT)
def test_any_text_comes_back(
    ledger: Ledger, rows: list[dict[str, str]], entity: str, feed: str
) -> None:
    """Quotes, percent signs, colons, brackets, any script: whatever is written is read back."""
    key, frame = FeedKey(secrets.token_hex(8), feed), pl.DataFrame(rows, schema=SCHEMA)
    ledger.intend(key, entity, frame, "r1")
    ledger.record(key, entity, frame, {}, [], "r1")
    found, intended = ledger.details(key, entity, frame["sourcedId"]), ledger.intended(key)

    columns = {
        "fingerprint": FINGERPRINT,
        "school": SCHOOL,
        "parents": PARENTS,
        "label": LABEL,
        "fields": FIELDS,
    }
    expected = frame.select("sourcedId", **columns).sort("sourcedId")
    assert_frame_equal(expected, found.select(expected.columns).sort("sourcedId"))
    assert ({entity: frozenset(frame["sourcedId"])} if rows else {}) == intended


def test_folder_and_file_are_for_their_owner_only(path: Path) -> None:
    """The folder has mode 0700; the file and those that SQLite puts beside it have mode 0600."""
    with Ledger(path) as ledger:
        ledger.record(KEY, "users", records("u"), {}, [], "r1")
        modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}

    assert 0o700 == stat.S_IMODE(path.parent.stat().st_mode)
    assert dict.fromkeys(("ledger.db", "ledger.db-shm", "ledger.db-wal"), 0o600) == modes


def test_a_file_that_others_could_read_is_closed_to_them(path: Path) -> None:
    """The mode is set right on a file that has another one."""
    path.parent.mkdir()
    path.touch(0o644)
    Ledger(path).close()

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)


def test_a_commit_survives_power_loss(path: Path) -> None:
    """Each commit is on the disk when it returns (FULL, 2), and readers do not wait for writers (WAL)."""
    with Ledger(path), Sqlite.at(path).reading() as connection:
        found = [
            connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous")
        ]

    assert ["wal", 2] == found


def made_by(path: Path, *statements: str) -> None:
    """Make a database by other means."""
    path.parent.mkdir(exist_ok=True)
    with sqlite3.connect(path) as connection:
        for statement in statements:
            connection.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            ("CREATE TABLE ledger(version INTEGER)", "INSERT INTO ledger VALUES (99)"),
            ("version 99", "Use that release"),
        ),
        (("CREATE TABLE ledger(version INTEGER)",), ("version unknown",)),
        (("CREATE TABLE recipes(name TEXT)",), ("recipes", "another program")),
    ],
)
def test_a_file_of_another_kind_is_refused(
    path: Path, statements: tuple[str, ...], words: tuple[str, ...]
) -> None:
    """A newer ledger, and a database that is none, are refused by what they are, and left as they are."""
    made_by(path, *statements)
    before = path.read_bytes()
    with pytest.raises(LedgerError) as caught:
        Ledger(path)

    message = str(caught.value)
    assert [] == [
        word
        for word in (str(path), f"expected a ledger of version {VERSION}", *words)
        if word not in message
    ]
    assert before == path.read_bytes()


def test_a_damaged_file_is_refused(path: Path) -> None:
    """A file that is no database is refused with the next step."""
    path.parent.mkdir()
    path.write_bytes(b"This is not a database. " * 100)

    with pytest.raises(LedgerError, match=r"not a database.*Restore it"):
        Ledger(path)


def test_damage_found_while_reading_is_reported(path: Path) -> None:
    """Damage in the middle of the file, which only a read of the rows finds, is reported the same way."""
    with Ledger(path) as ledger:
        ledger.record(
            KEY, "users", records(*(f"u{number:04}" for number in range(2000))), {}, [], "r1"
        )
    with path.open("r+b") as file:
        size = path.stat().st_size
        file.seek(size // 2)
        file.write(b"\xff" * (size // 2))

    with pytest.raises(LedgerError, match=r"malformed.*Restore it"), Ledger(path) as ledger:
        ledger.known(KEY)


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A state folder below a file is refused with its path."""
    (tmp_path / "file").touch()

    with pytest.raises(LedgerError, match=r"file/ledger\.db"):
        Ledger(tmp_path / "file" / "ledger.db")
