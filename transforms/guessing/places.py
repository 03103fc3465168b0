"""Files of schools, terms and courses -> orgs, academicSessions and courses."""

from __future__ import annotations

from transforms.guessing.columns import Seen
from transforms.guessing.draft import Block, Line, constant, quoted, word
from transforms.guessing.meanings import meaning_lines
from transforms.guessing.spellings import COURSES, SCHOOLS, TERMS, Spellings, means
from transforms.guessing.survey import Survey, key_line, org_line, schools_block


def named(survey: Survey, file: str, spellings: Spellings) -> dict[str, Seen]:
    """The first column of each meaning, but for the key."""
    found: dict[str, Seen] = {}
    for one in survey.columns[file]:
        meaning = means(one.name, spellings)
        if meaning and one is not survey.links.keys.get(file):
            found.setdefault(meaning, one)
    return found


def text_line(name: str, column: Seen | None, otherwise: Seen | None = None) -> Line:
    """The text of a column; or of another, where there is none of that name."""
    if column is not None:
        return Line(name, quoted(column.name), "by its name", (column.name,))
    if otherwise is not None:
        return Line(name, quoted(otherwise.name), "no other column says it", (otherwise.name,))
    return Line(name, '""', "no column has it by its name", open=True)


def schools_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of schools give."""
    meant, key = named(survey, file, SCHOOLS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("name", meant.get("name"), key)]
    lines.append(Line("type", constant("school"), survey.holds[file].why))
    if "identifier" in meant:
        lines.append(text_line("identifier", meant["identifier"]))
    return [Block("orgs", tuple(lines))]


def terms_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of terms give."""
    meant, key = named(survey, file, TERMS), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    lines.append(Line("type", constant("term"), survey.holds[file].why))
    return [
        Block("academicSessions", (*lines, *(date_line(name, meant.get(name)) for name in ("startDate", "endDate"))))
    ]


def date_line(name: str, column: Seen | None) -> Line:
    """A day, if the values of the column are dates."""
    if column is None:
        return Line(name, '""', "no column has it by its name", open=True)
    why = "its values are dates" if column.dates else "by its name, but its values are no dates"
    return Line(name, word("iso_date", column.name), why, (column.name,), open=not column.dates)


def status_lines(meant: dict[str, Seen]) -> list[Line]:
    """The line of a column that may say which records are gone: whether it is so, a person has to say."""
    if "status" not in meant:
        return []
    column = meant["status"].name
    return [Line("status", word("status", column), "does it say who is gone? Words such as inactive are then deletions", (column,), open=True)]  # fmt: skip


def courses_blocks(survey: Survey, file: str) -> list[Block]:
    """What rows of a file of courses give."""
    meant, key = named(survey, file, COURSES), survey.links.keys.get(file)
    lines = [key_line(survey, "sourcedId", key), text_line("title", meant.get("title"), key)]
    if "courseCode" in meant:
        lines.append(text_line("courseCode", meant["courseCode"]))
    lines.append(org_line(survey, file, "orgSourcedId"))
    grades = meaning_lines("grades", "grades", meant["grades"], "by its name") if "grades" in meant else []
    return [*schools_block(survey, file), Block("courses", (*lines, *grades))]
