"""A ledger on a PostgreSQL server: what is said when it cannot be used, and what is never said."""

from __future__ import annotations

import subprocess
import sys
import time
import traceback
from contextlib import closing
from pathlib import Path

import polars as pl
import psycopg
import pytest
from sqlalchemy import text

from connectors.ledger import FeedKey, Ledger, LedgerError, address_fault
from connectors.ledger.database import Database, open_database, url_of
from tests.ledger.server import PASSWORD, USER, Server
from transforms.changes import FIELDS, FINGERPRINT, LABEL, PARENTS, SCHOOL

KEY = FeedKey("sandbox", "larkspur-valley")
ROOT = Path(__file__).parents[2]
# Two addresses on this machine at which nothing listens.
NOBODY = f"postgresql://{USER}:{PASSWORD}@127.0.0.1:1/ledger"
NOBODY_TWICE = f"postgresql://{USER}:{PASSWORD}@/ledger?host=127.0.0.1:1&host=127.0.0.1:2"


def rows(*ids: str) -> pl.DataFrame:
    """Acknowledged records."""
    texts = dict.fromkeys((SCHOOL, PARENTS, LABEL, FIELDS), pl.lit("Ana Diaz"))
    return pl.DataFrame({"sourcedId": ids, FINGERPRINT: range(len(ids))}).with_columns(**texts)


def refusal(address: str) -> str:
    """What is said of a ledger that cannot be opened, with all that a traceback would tell."""
    with pytest.raises(LedgerError) as caught:
        Ledger(address)
    return "".join(traceback.format_exception(caught.value)) + repr(caught.value)


@pytest.mark.parametrize(
    ("address", "fault"),
    [
        ("postgresql://roster:s3cret@db.example.edu:5432/ledger", ""),
        ("postgresql:///ledger?host=/run/postgresql", ""),
        ("mysql://roster:s3cret@db.example.edu/ledger", "does not begin with postgresql://"),
        (
            "postgresql+psycopg2://roster:s3cret@db.example.edu/ledger",
            "does not begin with postgresql://",
        ),
        ("postgresql://roster:s3cret@db.example.edu:port/ledger", "cannot be read"),
        (
            "postgresql://roster:s3@cret@db.example.edu/ledger",
            "has an @ too many: one in the password is written %40",
        ),
        ("postgresql://roster:s3cret@db.example.edu", "names no database"),
    ],
)
def test_an_address_that_cannot_be_meant_is_told_without_a_word_of_it(
    address: str, fault: str
) -> None:
    """What is wrong is said, and the address, which holds a password, is not repeated."""
    assert fault == address_fault(address)


def test_a_ledger_is_not_opened_at_such_an_address() -> None:
    """A caller that did not check first gets the same message, without the address."""
    with pytest.raises(
        ValueError, match=r"^The address of the ledger does not begin with postgresql://\. Expected"
    ):
        Ledger("mysql://roster:s3cret@db.example.edu/ledger")


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql://roster@db.example.edu/ledger", "require"),
        ("postgresql://roster@db.example.edu/ledger?sslrootcert=system", "verify-full"),
        ("postgresql://roster@db.example.edu/ledger?sslmode=verify-full", "verify-full"),
        ("postgresql://roster@db.example.edu/ledger?sslmode=disable", "disable"),
        ("postgresql://roster@10.0.0.7:5432/ledger", "require"),
        ("postgresql://roster@[2001:db8::7]/ledger", "require"),
        ("postgresql://roster@localhost,db.example.edu/ledger", "require"),
        ("postgresql://roster@localhost/ledger?host=db.example.edu", "require"),
        ("postgresql://roster@localhost/ledger?hostaddr=10.0.0.7", "require"),
        ("postgresql://roster@/ledger?host=127.0.0.1:1&host=db.example.edu:2", "require"),
        # Which host the environment decides; with sockets it makes no difference.
        ("postgresql:///ledger", "require"),
        ("postgresql:///ledger?service=ledger", None),
        ("postgresql:///ledger?host=/run/postgresql", None),
        ("postgresql://roster@localhost/ledger", None),
        ("postgresql://roster@127.0.0.2:5432/ledger", None),
        ("postgresql://roster@[::1]:5432/ledger", None),
        ("postgresql://roster@/ledger?host=127.0.0.1:1&host=127.0.0.1:2", None),
    ],
)
def test_the_way_to_another_machine_is_encrypted(address: str, mode: str | None) -> None:
    """Unless the address says otherwise by name."""
    assert mode == url_of(address).query.get("sslmode")


def test_a_server_that_does_not_encrypt_is_told(server: Server) -> None:
    """It is this one, under the name of another machine; whoever knows the way to be safe can say so."""
    address = f"{server.new()}?host=db.example.edu&hostaddr=127.0.0.1&port={server.port}"
    said = refusal(address)
    with Ledger(f"{address}&sslmode=disable") as ledger:
        feeds = ledger.feeds()

    assert ([], True, True) == (
        feeds,
        "does not support SSL" in said,
        "write sslmode=disable after the ?" in said,
    )


def test_a_ledger_is_shown_by_server_and_database_only(server: Server) -> None:
    """Nobody reads the password off a ledger, nor off its engine."""
    with Ledger(server.new()) as ledger:
        assert (f"postgresql://127.0.0.1:{server.port}/ledger_", False) == (
            ledger.place.rstrip("0123456789"),
            PASSWORD in repr(vars(ledger)) + repr(vars(ledger._database)),
        )


@pytest.mark.parametrize("address", [NOBODY, NOBODY_TWICE])
def test_a_server_that_does_not_answer_is_told(address: str) -> None:
    """The place and the next step stand there, and not the password."""
    said = refusal(address)

    assert [] == [
        word
        for word in ("Connection refused", "Start the server", "/ledger cannot be used")
        if word not in said
    ]
    assert PASSWORD not in said


def test_what_a_server_refuses_is_told_with_the_next_step(server: Server) -> None:
    """A wrong password, a database that is not there, one that may not be changed, an unknown option."""
    fixed, closed = server.new(), server.new()
    server.run(f"ALTER DATABASE {fixed.rpartition('/')[2]} SET default_transaction_read_only = on")
    server.run(f"CREATE ROLE guest LOGIN PASSWORD '{PASSWORD}'")

    wrong = {
        server.address("postgres", "guessed-it"): "Correct the user or the password",
        server.address("nowhere"): "Make the database",
        fixed: "name the server that takes writes",
        closed.replace(USER, "guest", 1): "Let its user make and write tables",
        f"{closed}?color={PASSWORD}": "Correct what follows the ?",
    }
    said = {step: refusal(address) for address, step in wrong.items()}
    assert [] == [(step, words) for step, words in said.items() if step not in words]
    assert [] == [words for words in said.values() if PASSWORD in words or "guessed-it" in words]


@pytest.mark.parametrize(
    ("statement", "words"),
    [
        ("CREATE TABLE recipes (name text)", "recipes"),
        ("CREATE TABLE ledger (version int)", "version unknown"),
    ],
)
def test_a_database_of_another_kind_is_refused(server: Server, statement: str, words: str) -> None:
    """Tables of another program, and a ledger of another release, are left as they are."""
    address = server.new()
    server.run(statement, address.rpartition("/")[2])

    assert words in refusal(address)


def test_a_table_of_an_extension_is_no_other_program(server: Server) -> None:
    """PostGIS keeps one in the schema where it is installed, which is mostly `public`."""
    address = server.new()
    database = address.rpartition("/")[2]
    server.run("CREATE TABLE spatial_ref_sys (srid int)", database)
    assert "Use another database in its address" in refusal(address)
    server.run("ALTER EXTENSION plpgsql ADD TABLE spatial_ref_sys", database)

    with Ledger(address) as ledger:
        ledger.record(KEY, "users", rows("u"), {}, [], "r1")
        assert ["u"] == ledger.known(KEY)["users"]["sourcedId"].to_list()


def test_a_refused_write_does_not_repeat_what_was_written(server: Server) -> None:
    """The server tells the whole row in its details; names of people do not get into messages."""
    broken = rows("u").with_columns(pl.lit(None, pl.Int64).alias(FINGERPRINT))
    with Ledger(server.new()) as ledger, pytest.raises(LedgerError) as caught:
        ledger.record(KEY, "users", broken, {}, [], "r1")

    said = "".join(traceback.format_exception(caught.value))
    assert ("fingerprint" in said, "Ana" in said) == (True, False)


def test_a_commit_survives_power_loss_whatever_the_server_is_set_to(server: Server) -> None:
    """A server may answer before a commit is on the disk; a ledger does not let it."""
    address = server.new()
    server.run(f"ALTER DATABASE {address.rpartition('/')[2]} SET synchronous_commit = off")
    database = open_database(address, make=True)

    with closing(database), database.writing() as connection:
        assert "on" == connection.execute(text("SHOW synchronous_commit")).scalar()


def test_no_default_of_a_managed_server_ends_a_night(server: Server) -> None:
    """Neither that of a statement, nor that of a transaction that waits, as one does for the lock."""
    address = server.new()
    database = address.rpartition("/")[2]
    for name in ("statement_timeout", "idle_in_transaction_session_timeout"):
        server.run(f"ALTER DATABASE {database} SET {name} = '200ms'", database)
    with Ledger(address) as ledger, ledger.hold(KEY, "r1"):
        with ledger._database.reading() as connection:
            connection.execute(text("SELECT pg_sleep(0.4)"))
            time.sleep(0.4)
            connection.execute(text("SELECT 1"))
        with Ledger(address) as other:
            assert "r1" == getattr(other.holder(KEY), "run", None)


def test_a_machine_that_is_gone_does_not_hold_a_feed_for_hours(server: Server) -> None:
    """The server asks after it within a minute, and then closes its connections."""
    database = open_database(server.new(), make=True)

    with closing(database), database.reading() as connection:
        asked = [
            connection.execute(text(f"SHOW tcp_keepalives_{name}")).scalar()
            for name in ("idle", "interval", "count")
        ]
    assert ["20", "10", "4"] == asked


def test_a_connection_that_was_lost_between_two_writes_is_made_again(server: Server) -> None:
    """A server that was restarted between two batches does not end a run that holds nothing."""
    address = server.new()
    with Ledger(address) as ledger:
        ledger.record(KEY, "users", rows("u"), {}, [], "r1")
        disconnect(address)
        ledger.record(KEY, "users", rows("v"), {}, [], "r1")

        assert ["u", "v"] == ledger.known(KEY)["users"]["sourcedId"].to_list()


def disconnect(address: str, only: str = "true") -> None:
    """Have the server close the connections to a database, or only some."""
    others = f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND {only}"
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute(others.encode())


def test_a_connection_that_is_lost_while_writing_is_told(server: Server) -> None:
    """Nothing of that batch is recorded, and the next run goes on."""
    address = server.new()
    Ledger(address).close()
    database = open_database(address, make=True)
    with closing(database), pytest.raises(LedgerError, match=r"connection.*Run again"):
        write_and_lose(database, address)

    with Ledger(address) as ledger:
        assert [] == ledger.feeds()


def write_and_lose(database: Database, address: str) -> None:
    """Lose the connection in the middle of a batch."""
    with database.writing() as connection:
        connection.execute(text("INSERT INTO feeds (target, feed) VALUES ('t', 'f')"))
        disconnect(address)
        connection.execute(text("SELECT 1"))


def test_a_run_that_has_lost_its_lock_writes_nothing_more(server: Server) -> None:
    """Another run may hold the feed by then: the first one breaks off, and the second is not disturbed."""
    address = server.new()
    with Ledger(address) as first, Ledger(address) as second:
        with pytest.raises(LedgerError, match=r"lost that kept other runs away.*Run again"):
            write_without_lock(first, second, address)

        assert ({}, None) == (second.known(KEY), second.holder(KEY))


def write_without_lock(first: Ledger, second: Ledger, address: str) -> None:
    """Lose the lock, have another run take it, and write all the same."""
    with first.hold(KEY, "first"):
        disconnect(address, "pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory')")
        with second.hold(KEY, "second"):
            first.record(KEY, "users", rows("u"), {}, [], "first")


def test_ids_are_in_the_order_of_their_bytes(ledger: Ledger) -> None:
    """Whatever language the server sorts by, ids come as a file has them."""
    ids = ["a", "B", "á", "b", "A", "10", "9", "_", "-"]
    ledger.record(KEY, "users", rows(*ids), {}, [], "r1")

    assert sorted(ids) == ledger.known(KEY)["users"]["sourcedId"].to_list()


@pytest.mark.parametrize(
    "one",
    [
        "line\nbreak",
        "line\r\nbreak",
        "\r",
        "\\N",
        "\\.",
        '"',
        '""',
        ",",
        "NULL",
        " ",
        "%s",
        "%(x)s",
        "a'b",
    ],
)
def test_ids_that_formats_trip_over_come_back(ledger: Ledger, one: str) -> None:
    """Whatever has a meaning in CSV, COPY or SQL is text in an id."""
    ledger.record(KEY, "users", rows(one), {}, [], "r1")

    assert [one] == ledger.known(KEY)["users"]["sourcedId"].to_list()
    assert [one] == ledger.details(KEY, "users", pl.Series([one]))["sourcedId"].to_list()


def test_a_ledger_in_a_file_does_not_load_the_driver(path: Path) -> None:
    """It would take time that most runs do not need."""
    code = f"""
import sys
from pathlib import Path
from connectors.ledger import FeedKey, Ledger
with Ledger(Path({str(path)!r})) as ledger, ledger.hold(FeedKey("t", "f"), "r"):
    print("psycopg" in sys.modules, ledger.known(FeedKey("t", "f")))
"""
    said = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert "False {}\n" == said.stdout
