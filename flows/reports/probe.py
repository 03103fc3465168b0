"""The report of a probe: a table on a wide terminal, lines on a narrow one."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from connectors.oneroster.probe.questions import QUESTIONS, ProbeFact
from connectors.oneroster.probe.records import KINDS
from flows.preflight.probe import StoredProbe, problem_sentence

WIDE = 100  # columns of a terminal on which a table is printed
INDENT = 2
FAILURE = 300  # the lowest HTTP status that is no success
LEFT = (
    "Not deleted, since the target refused to: {name} {sourced_id}. Delete it there, "
    "or probe again."
)
BROKEN = "The probe stopped early: {why}"
FINE = "Nothing differs from what the loader assumes."


def print_probe(console: Console, probed: StoredProbe) -> None:
    """Print the answers of the target, and the conclusions."""
    console.print(Text(f"Probe of {probed.target}, {probed.at:%Y-%m-%d %H:%M} UTC", style="bold"))
    if console.width >= WIDE:
        console.print(_table(probed))
    else:
        for question, answers in _answers(probed):
            console.print(Text(question))
            for answer, where in answers:
                console.print(
                    Padding.indent(Text(f"{answer}{': ' if where else ''}{where}"), INDENT)
                )
    for line in conclusions(probed):
        console.print(Text(line))


def probe_lines(probed: StoredProbe) -> list[str]:
    """Return the same report as lines, one for each answer."""
    answered = [
        f"{question}: {answer}{f' ({where})' if where else ''}"
        for question, answers in _answers(probed)
        for answer, where in answers
    ]
    return [*answered, *conclusions(probed)]


def conclusions(probed: StoredProbe) -> Iterator[str]:
    """Yield what differs from the loader's assumptions, why the probe ended early, what it left."""
    yield from map(problem_sentence, probed.problems)
    if probed.broken:
        yield BROKEN.format(why=probed.broken)
    elif not probed.problems:
        yield FINE
    for name, sourced_id in probed.left:
        yield LEFT.format(name=name, sourced_id=sourced_id)


def _table(probed: StoredProbe) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for title in ("asked", "answered", "in"):
        table.add_column(title)
    for question, answers in _answers(probed):
        for place, (answer, where) in enumerate(answers):
            table.add_row(Text("" if place else question), Text(answer), Text(where))
    return table


def _answers(probed: StoredProbe) -> Iterator[tuple[str, list[tuple[str, str]]]]:
    """Yield each question with its answers, and the collections that gave each answer."""
    for name, question in QUESTIONS.items():
        grouped: dict[str, list[str]] = {}
        for fact in probed.facts:
            if fact.question == name:
                grouped.setdefault(_answer(fact), []).append(fact.collection)
        if grouped:
            yield (
                question.says,
                [(answer, _where(collections)) for answer, collections in grouped.items()],
            )


def _where(collections: list[str]) -> str:
    return "everywhere" if len(collections) == len(KINDS) else ", ".join(filter(None, collections))


def _answer(fact: ProbeFact) -> str:
    """Return the answer of a fact; the HTTP status only if it is no success."""
    if fact.status >= FAILURE:
        return f"{fact.answer} (HTTP {fact.status}, {fact.body})"
    return fact.answer if fact.status or not fact.detail else f"{fact.answer} ({fact.detail})"
