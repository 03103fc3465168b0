"""What is guessed of drops of many kinds: each line follows from names, from values, or from where they lead."""

from __future__ import annotations

import tomllib
from pathlib import Path, PurePath
from typing import Any

import polars as pl
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from connectors.drops import read
from tests.layouts.normalizing import judged, normalized, written
from tests.strength import expensive
from transforms.infer_mapping import InferredMapping, infer_mapping
from transforms.infer_mapping.columns import words_of
from transforms.infer_mapping.spellings import CLASSES, NAMES, Spellings, meaning_of
from transforms.mappings import read_mapping
from transforms.roster import Raw, RawFile

# A district with a file for everything.
WHOLE = {
    "Schools": "School ID,School Name,NCES ID\ns1,Elm,11\ns2,Oak,12",
    "Terms": "Term Code,Term Name,Start Date,End Date\nf,Fall,8/15/2026,12/20/2026\ns,Spring,1/4/2027,6/10/2027",
    "Courses": "Course Number,Course Title,Grade Level\nm3,Math 3,3\nm4,Math 4,4",
    "Sections": """Section ID,Course Number,School ID,Term Code,Teacher Number,Period
                   x1,m3,s1,f,t1,1
                   x2,m4,s1,f,t1,2
                   x3,m3,s2,s,t2,1""",
    "Students": """Student Number,School ID,First Name,Last Name,DOB,Gender,Grade Level,Race,Login,Mobile Phone,Email
                   p1,s1,Ann,Ash,3/14/2017,F,3,A,ann,1,ann@example.edu
                   p2,s1,Bo,Bay,11/2/2017,M,4,W,bo,2,bo@example.edu
                   p3,s2,Cy,Coe,9/30/2016,F,3,B,cy,3,cy@example.edu""",
    "Teachers": "Teacher Number,School ID,First Name,Last Name,Work Email\nt1,s1,Di,Doe,di@example.edu\nt2,s2,Ed,Eve,ed@example.edu",
    "ClassRoster": "Section ID,Student Number,Entry Date\nx1,p1,8/15/2026\nx2,p2,8/15/2026\nx3,p3,1/4/2027\nx1,p2,8/16/2026",
}


def guessed(folder: Path, files: dict[str, str]) -> InferredMapping:
    """Guess a mapping for files."""
    return infer_mapping(read(written(folder / "drop", **files)), "own")


def said(made: InferredMapping, file: str, entity: str, place: int = 0) -> dict[str, Any]:
    """The lines of a guess that are not open, of one entity of a file."""
    files: list[dict[str, Any]] = tomllib.loads(made.text)["file"]
    rows: dict[str, Any] = next(one for one in files if one["name"] == file)[entity][place]
    return rows


def todo(made: InferredMapping) -> list[str]:
    """The open lines of a guess, without their reasons."""
    return [
        line.partition("  #")[0].strip("# ") for line in made.text.splitlines() if "# TODO" in line
    ]


def test_a_whole_district_is_understood(tmp_path: Path) -> None:
    """Nothing but whether drops are whole is left to a person, and every record is accepted."""
    made = guessed(tmp_path, WHOLE)

    layout = read_mapping(tomllib.loads(made.text)).layout
    assert layout is not None
    checked = judged(normalized(tmp_path / "drop", layout))
    assert ["snapshot = true"] == todo(made)
    assert [] == checked.findings.errors.rows()
    assert {
        "orgs": 3,
        "academicSessions": 3,
        "users": 5,
        "demographics": 3,
        "courses": 2,
        "classes": 3,
        "enrollments": 7,
    } == {name: one.accepted.height for name, one in checked.standing.items()}


def test_each_line_has_its_reason(tmp_path: Path) -> None:
    """Counts of rows, words of names, kinds of values."""
    text = guessed(tmp_path, WHOLE).text

    lines = [
        line
        for line in text.splitlines()
        if " = " in line and not line.startswith(("name = ", "# A "))
    ]
    assert [] == [line for line in lines if "  # " not in line]
    assert (
        "'Student Number' is different in each of 3 rows; 'Student Number' of ClassRoster.csv leads to it in 100% of 4 rows"
        in text
    )


def test_the_same_drop_gives_the_same_guess(tmp_path: Path) -> None:
    """In whatever order its files are."""
    one, other = (
        guessed(tmp_path / "a", WHOLE),
        guessed(tmp_path / "b", dict(reversed(WHOLE.items()))),
    )

    assert one == other


DATES = (
    ("14/3/2017", "3/4/2016", "dmy", ""),
    ("3/14/2017", "3/4/2016", "mdy", ""),
    ("2017-03-14", "2016-04-03", "ymd", ""),
    ("3/4/2017", "5/6/2016", None, "no number is greater than 12"),
    ("14/3/2017", "3/14/2016", None, "1 first number and 1 second number are greater than 12"),
)


@pytest.mark.parametrize(("one", "other", "order", "why"), DATES)
def test_the_order_of_dates_is_certain_or_left_open(
    one: str, other: str, order: str | None, why: str, tmp_path: Path
) -> None:
    """A day is greater than twelve, or nobody can tell."""
    made = guessed(tmp_path, {"pupils": f"Id,Forename,Surname,Born\n1,A,B,{one}\n2,C,D,{other}"})

    assert order == tomllib.loads(made.text)["layout"].get("date_order")
    assert (order is None, True) == ('date_order = ""' in todo(made), why in made.text)


def test_a_drop_without_dates_has_no_order(tmp_path: Path) -> None:
    """Nor a line for one."""
    made = guessed(tmp_path, {"pupils": "Id,Forename,Surname,DOB\n1,A,B,soon\n2,C,D,late"})

    assert ['birthDate = {birth_date = "DOB"}'] == [
        line for line in todo(made) if "irth" in line or "order" in line
    ]


def test_people_of_all_kinds_have_the_role_that_a_column_says(tmp_path: Path) -> None:
    """A word that is not known is left open, with how often it is there."""
    users = "User,Full Name,Role\nu1,Ann Ash,Pupil\nu2,Bo Bay,Teacher\nu3,Cy Coe,Bursar"
    made = guessed(tmp_path, {"users": users, "schools": "Code,Title\ns1,Elm"})

    assert {"one_of": "Role", "words": {"Pupil": "student", "Teacher": "teacher"}} == said(
        made, "users", "roles"
    )["role"]
    assert {"given_name": "Full Name"} == said(made, "users", "users")["givenName"]
    assert 'role.words.Bursar = ""' in todo(made)
    assert 'orgSourcedId = ""' in todo(made)


def test_words_that_are_all_known_need_no_table(tmp_path: Path) -> None:
    """And too many that are not stay unwritten."""
    known = guessed(
        tmp_path / "a", {"people": "Id,Forename,Surname,Role\n1,A,B,Pupil\n2,C,D,Teacher"}
    )
    many = "\n".join(f"{number},A,B,Post {number}" for number in range(21))
    unknown = guessed(tmp_path / "b", {"people": f"Id,Forename,Surname,Role\n{many}"})

    assert {"role": "Role"} == said(known, "people", "roles")["role"]
    assert ('role = {role = "Role"}' in todo(unknown), False) == (True, "Post 7" in unknown.text)


def test_people_who_could_be_anything_are_left_open(tmp_path: Path) -> None:
    """A file is of people if it has their names, and of students if it has their births; nothing says more."""
    people = guessed(tmp_path / "a", {"list": "Id,Forename,Surname\n1,A,B\n2,C,D"})
    students = guessed(
        tmp_path / "b", {"list": "Id,Forename,Surname,DOB\n1,A,B,2016-01-02\n2,C,D,2016-03-04"}
    )
    flags = guessed(tmp_path / "c", {"pupil flags": "Id,Flag\n1,x"})
    halves = guessed(
        tmp_path / "d",
        {"halves": "Half,Title,Start,End\nh1,First,1/2/26,3/4/26\nh2,Second,5/6/26,7/8/26"},
    )

    assert {"halves.csv": "terms"} == halves.files
    assert ({"list.csv": "people"}, {"list.csv": "students"}, {"pupil flags.csv": ""}) == (
        people.files,
        students.files,
        flags.files,
    )
    assert 'role = {constant = ""}' in todo(people)


# A school without files of classes or courses: each row of a pupil says the set and its teacher.
WIDE = {
    "Pupils": "Ref,Name,School,Email\n101,Ann Ash,Elm,ann@example.edu\n102,Bo Bay,Oak,bo@example.edu\n103,Cy Coe,Oak,cy@example.edu\n104,Dee Day,Oak,d@example.edu",
    "Teachers": "Ref,Name,School\n101,Di Doe,Elm\n102,Ed Eve,Oak\n105,Flo Fox,Oak",
    "Sets": "Pupil Ref,Set,Teacher Ref,Subject,School\n101,3 A,101,Maths,Elm\n102,3 A,101,Maths,Elm\n102,4 B,102,Art,Oak\n103,4 B,102,Art,Oak\n101,4 B,102,Art,Oak",
}  # fmt: skip


def test_classes_that_no_file_lists_are_made_of_their_names(tmp_path: Path) -> None:
    """So are courses and schools; the teacher of many rows teaches the class once."""
    made = guessed(tmp_path, WIDE)

    assert {
        "Pupils.csv": "students",
        "Teachers.csv": "teachers",
        "Sets.csv": "enrollments",
    } == made.files
    assert {"derived": "class", "parts": "Set"} == said(made, "Sets", "classes")["sourcedId"]
    assert {"derived": "course", "parts": "Subject"} == said(made, "Sets", "classes")[
        "courseSourcedId"
    ]
    assert {"derived": "school", "parts": "School"} == said(made, "Sets", "classes")[
        "schoolSourcedId"
    ]
    assert {"derived": "enrollment", "parts": ["Set", "Teacher Ref"]} == said(
        made, "Sets", "enrollments", 1
    )["sourcedId"]


def test_sections_that_each_course_numbers_anew_are_not_merged(tmp_path: Path) -> None:
    """Section 01 of algebra and section 01 of biology are two classes, also in enrollments."""
    rows = [
        f"p{pupil},{course},{section},{title},t{teacher}"
        for course, title, teacher in (("ALG", "Algebra", 1), ("BIO", "Biology", 2))
        for pupil, section in ((1, "01"), (2, "02"), (3, "01"))
    ]
    files = {
        "Students": "Student ID,First Name,Last Name\np1,Ann,Ash\np2,Bo,Bay\np3,Cy,Coe",
        "Staff": "Employee ID,First Name,Last Name\nt1,Di,Doe\nt2,Ed,Eve",
        "Schedule": "\n".join(
            ["Student ID,Course Key,Section,Course Description,Teacher ID", *rows]
        ),
    }
    made = guessed(tmp_path, files)
    named = {"derived": "class", "parts": ["Course Key", "Section"]}

    assert named == said(made, "Schedule", "classes")["sourcedId"]
    assert {"first": ["Course Description", "Section"]} == said(made, "Schedule", "classes")[
        "title"
    ]
    assert [named] * 2 == [
        said(made, "Schedule", "enrollments", place)["classSourcedId"] for place in (0, 1)
    ]


def test_a_pupil_who_has_one_class_is_no_key_of_it(tmp_path: Path) -> None:
    """The column has the name of the pupils' own ids, so it refers to them."""
    files = {
        "Pupils": "UPN,Forename,Surname\nA1,Ann,Ash\nA2,Bo,Bay\nA3,Cy,Coe\nA4,Di,Doe",
        "Staff": "Staff Code,Forename,Surname\nEE,Ed,Eve\nFF,Fay,Fox",
        "Groups": "Class,Main Teacher,UPN\n7A,EE,A1\n7A,EE,A2\n8B,FF,A3\n8B,FF,A4",
    }
    made = guessed(tmp_path, files)

    assert "enrollments" == made.files["Groups.csv"]
    assert "UPN" == said(made, "Groups", "enrollments", 1)["userSourcedId"]


def test_a_teacher_is_known_by_the_column_if_one_file_has_everybody(tmp_path: Path) -> None:
    """And the days of the row, which may have a time, are the other person's."""
    files = {
        "Users": "User ID,First Name,Last Name\nu1,Ann,Ash\nu2,Bo,Bay\nu3,Cy,Coe",
        "Enrollment": """User ID,Section ID,Teacher User ID,Begin Date,Stop Date
                         u1,x1,u3,8/17/2026 12:00:00 AM,12/18/2026 12:00:00 AM
                         u2,x1,u3,8/17/2026 12:00:00 AM,12/18/2026 12:00:00 AM""",
    }
    made = guessed(tmp_path, files)

    person, teacher = (said(made, "Enrollment", "enrollments", place) for place in (0, 1))
    assert ({"iso_date": "Begin Date"}, "User ID") == (person["beginDate"], person["userSourcedId"])
    assert {"day_after": {"iso_date": "Stop Date"}} == person["endDate"]
    assert {"constant": "teacher"} == teacher["role"]
    assert "beginDate" not in teacher


def test_people_who_would_share_an_id_do_not(tmp_path: Path) -> None:
    """Where pupils and teachers are numbered alike, their ids say which they are; and all of it loads."""
    made = guessed(tmp_path, WIDE)

    layout = read_mapping(tomllib.loads(made.text)).layout
    assert layout is not None
    checked = judged(normalized(tmp_path / "drop", layout))
    assert {"derived": "teacher", "parts": "Ref"} == said(made, "Teachers", "users")["sourcedId"]
    assert {"derived": "student", "parts": "Pupil Ref"} == said(made, "Sets", "enrollments", 0)[
        "userSourcedId"
    ]
    assert [] == checked.findings.errors.rows()
    assert (7, 2, 7) == tuple(
        checked.standing[name].accepted.height for name in ("users", "classes", "enrollments")
    )


def test_what_leads_nowhere_is_left_open(tmp_path: Path) -> None:
    """An enrollment without a person, a class without an id, a course without a school."""
    made = guessed(
        tmp_path,
        {
            "enrolments": "Group,Kind,Role\nx,1,Monitor\ny,2,Pupil",
            "classes": "Room\n7\n7",
            "schools": "Kind\na\na",
            "courses": "Code,Short Name,Year\nm,Maths,3\na,Art,4",
            "terms": "Code,Name,Start\n1,Fall,soon\n2,Spring,later",
        },
    )

    assert {
        'userSourcedId = ""',
        'role = {constant = ""}',
        'sourcedId = ""',
        'courseSourcedId = ""',
        'title = ""',
        'name = ""',
        'endDate = ""',
        'startDate = {iso_date = "Start"}',
    } <= set(todo(made))
    assert {"district": True} == said(made, "courses", "courses")["orgSourcedId"]


def test_roles_in_classes_are_those_that_a_column_says(tmp_path: Path) -> None:
    """Where it says none and people may be anything, it is left open; a column that may say who is gone is too."""
    users = {
        "users": "User Id,Forename,Surname\nu1,A,B\nu2,C,D\nu3,E,F",
        "classes": "Class Id,Title\nc1,X\nc2,Y",
    }
    rows = "Class Id,User Id\nc1,u1\nc1,u2\nc2,u3\nc2,u1"
    role = "\n".join(
        f"{row},{word}"
        for row, word in zip(
            rows.splitlines(),
            ("Role,Status", "Student,1", "Monitor,1", "Student,1", "Teacher,1"),
            strict=True,
        )
    )

    without, having = (
        guessed(tmp_path / "a", {**users, "links": rows}),
        guessed(tmp_path / "b", {**users, "links": role}),
    )

    assert "enrollments" == without.files["links.csv"]
    assert 2 == todo(without).count('role = {constant = ""}')
    assert {"Student": "student", "Teacher": "teacher"} == said(having, "links", "enrollments")[
        "role"
    ]["words"]
    assert {'role.words.Monitor = ""', 'status.words.1 = ""'} <= set(todo(having))


# Four students, each of whom has one class.
SMALL = {
    "Students": "Student Number,School,First Name,Last Name\np1,Elm,Ann,Ash\np2,Elm,Bo,Bay\np3,Elm,Cy,Coe\np4,Elm,Dee,Day",
    "Teachers": "Teacher Number,School,First Name,Last Name\nt1,Elm,Di,Doe\nt2,Elm,Ed,Eve",
    "Sections": "Section ID,Course Name,School,Teacher Number\nx1,Math 3,Elm,t1\nx2,Math 4,Elm,t2",
    "Links": """Student Number,Section ID,Enrollment Begin Date,Withdrawal Date,Enrollment Status
                p1,x1,8/15/2026,,Enrolled
                p2,x1,8/15/2026,,Active
                p3,x2,8/15/2026,,Active
                p4,x2,8/15/2026,9/10/2026,Dropped""",
}


def test_the_enrollments_of_a_small_drop_are_recognized(tmp_path: Path) -> None:
    """Each student is in one row, and the class is listed in another file."""
    made = guessed(tmp_path, SMALL)

    assert "enrollments" == made.files["Links.csv"]


def test_a_file_that_only_adds_to_students_is_no_list_of_enrollments(tmp_path: Path) -> None:
    """Nothing in it leads to classes."""
    made = guessed(tmp_path, {**SMALL, "Links": "Student Number,House\np1,r\np2,g\np3,r\np4,g"})

    assert "" == made.files["Links.csv"]


def test_enrollments_have_their_dates_and_status(tmp_path: Path) -> None:
    """Words with one meaning need nobody to say it."""
    links = said(guessed(tmp_path, SMALL), "Links", "enrollments")

    assert {"iso_date": "Enrollment Begin Date"} == links["beginDate"]
    assert {"day_after": {"iso_date": "Withdrawal Date"}} == links["endDate"]
    assert {
        "status": "Enrollment Status",
        "words": {"Dropped": "tobedeleted", "Enrolled": "active"},
    } == links["status"]


def test_dates_and_status_are_the_students_if_the_row_has_a_teacher_too(tmp_path: Path) -> None:
    """A student who leaves a class does not take the teacher along."""
    rows = SMALL["Links"].splitlines()
    teachers = ("Teacher Number", "t1", "t1", "t2", "t2")
    both = [f"{row.strip()},{cell}" for row, cell in zip(rows, teachers, strict=True)]
    made = guessed(tmp_path, {**SMALL, "Links": "\n".join(both)})

    student, teacher = (said(made, "Links", "enrollments", place) for place in (0, 1))
    assert {"beginDate", "endDate", "status"} <= student.keys()
    assert set() == {"beginDate", "endDate", "status"} & teacher.keys()


def test_a_class_without_a_name_has_the_name_of_its_course(tmp_path: Path) -> None:
    """Of its own row, or of the file of courses."""
    here = guessed(tmp_path / "a", SMALL)
    there = guessed(tmp_path / "b", WHOLE)

    titles = []
    for made, folder in ((here, "a"), (there, "b")):
        layout = read_mapping(tomllib.loads(made.text)).layout
        assert layout is not None
        classes = normalized(tmp_path / folder / "drop", layout).tables["classes"].frame
        titles.append(dict(classes.select("sourcedId", "title").rows()))
    assert [
        {"x1": "Math 3", "x2": "Math 4"},
        {"x1": "Math 3", "x2": "Math 4", "x3": "Math 3"},
    ] == titles


def test_rows_that_repeat_a_person_do_not_hide_the_id(tmp_path: Path) -> None:
    """A row for each parent: the id has fewer values than there are rows, and is called an id."""
    pupils = "Pupil Id,Forename,Surname,Parent\np1,A,B,x\np1,A,B,y\np2,C,D,x\np3,E,F,z\np4,G,H,z"
    made = guessed(tmp_path, {"pupils": pupils, "classes": "Class\nc1\nc2"})

    assert "Pupil Id" == said(made, "pupils", "users")["sourcedId"]
    assert "'Pupil Id' has 4 values in 5 rows" in made.text


def test_an_address_is_known_by_its_looks(tmp_path: Path) -> None:
    """Whatever its column is called; and a column that is only called so is none."""
    looks = guessed(
        tmp_path / "a",
        {"pupils": "Id,Forename,Surname,Contact\n1,A,B,a@example.edu\n2,C,D,c@example.edu"},
    )
    called = guessed(tmp_path / "b", {"pupils": "Id,Forename,Surname,Email\n1,A,B,yes\n2,C,D,no"})
    blank = guessed(tmp_path / "c", {"pupils": "Id,Forename,Surname,Email\n1,A,B,\n2,C,D,"})

    assert "Contact" == said(looks, "pupils", "users")["email"]
    assert "email" not in said(called, "pupils", "users")
    assert "Email" == said(blank, "pupils", "users")["email"]


def test_a_column_that_is_ignored_is_no_pattern(tmp_path: Path) -> None:
    """Whatever signs its name has."""
    made = guessed(
        tmp_path,
        {
            **WHOLE,
            "Terms": "Term Code,Term Name,Start Date,End Date,Fee [USD]*\nf,Fall,8/15/2026,12/20/2026,1",
        },
    )

    layout = read_mapping(tomllib.loads(made.text)).layout
    assert layout is not None
    notices = normalized(tmp_path / "drop", layout).findings.notices
    assert ["Fee [USD]*"] == [
        notice.detail
        for notice in notices
        if notice.file == "Terms.csv" and notice.rule == "column_ignored"
    ]


# How what is said of lines begins that a person has yet to finish.
LEFT_OPEN = ("lacks `", "reads a date, and nothing says", "gives ", "describes no files")
NAME = st.text(st.characters(codec="utf-8"), min_size=1, max_size=12)
HEADER = st.one_of(
    NAME,
    st.sampled_from(
        [
            "Id",
            "Pupil Id",
            "Class",
            "Role",
            "DOB",
            "Email",
            "Year",
            "Sex",
            "School",
            "Name",
            "Start",
        ]
    ),
)
CELL = st.one_of(
    st.none(), NAME, st.sampled_from(["1", "2", "a@example.edu", "1/2/2016", "7", "M", "Teacher"])
)


def _is_file_name(name: str) -> bool:
    return PurePath(name).name == name


@st.composite
def drops(draw: st.DrawFn) -> Raw:
    """A drop of any names and values."""
    files = {}
    for name in draw(
        st.lists(
            st.one_of(
                NAME.filter(_is_file_name),
                st.sampled_from(["pupils.csv", "classes.csv", "links.csv"]),
            ),
            max_size=3,
            unique=True,
        )
    ):
        header = draw(st.lists(HEADER, max_size=4, unique=True))
        rows = draw(st.integers(0, 4))
        cells = {column: draw(st.lists(CELL, min_size=rows, max_size=rows)) for column in header}
        frame = pl.DataFrame(
            {"#row": range(1, rows + 1), **cells},
            schema={"#row": pl.UInt32, **dict.fromkeys(header, pl.String)},
        )
        files[name] = RawFile(name, frame, tuple(header))
    return Raw(files)


def empty(*names: str) -> Raw:
    """A drop of files without rows and columns."""
    frame = pl.DataFrame(schema={"#row": pl.UInt32})
    return Raw({name: RawFile(name, frame, ()) for name in names})


@expensive(150, 30)
@example(empty("pupils.csv", "pupils.txt"))
@example(empty("0", "0."))
@given(drops())
def test_a_guess_is_a_mapping_file_whatever_the_drop_holds(raw: Raw) -> None:
    """TOML that can be read, with nothing wrong in it but what is left open."""
    made = infer_mapping(raw, "own")

    problems = read_mapping(tomllib.loads(made.text)).problems
    assert [] == [problem.says for problem in problems if not problem.says.startswith(LEFT_OPEN)]


WORDS = (
    ("PupilIDs", ("pupil", "id")),
    ("date_of-birth", ("date", "of", "birth")),
    ("Classes", ("class",)),
    ("Branches", ("branch",)),
    ("Faculties", ("faculty",)),
    ("Status", ("status",)),
    ("NCES ids", ("nces", "id")),
    ("SISKey", ("sis", "key")),
    ("Élèves", ("élève",)),
)


@pytest.mark.parametrize(("name", "words"), WORDS)
def test_names_are_taken_apart(name: str, words: tuple[str, ...]) -> None:
    """Into words in lower case and in the singular, however they are put together."""
    assert words == words_of(name)


MEANINGS: tuple[tuple[str, Spellings, str | None], ...] = (
    ("dob", NAMES, "birthDate"),
    ("DateOfBirth", NAMES, "birthDate"),
    ("birth_date", NAMES, "birthDate"),
    ("Pupil Legal Surname", NAMES, "familyName"),
    ("Pupil", NAMES, None),
    ("Known as", NAMES, "preferredGivenName"),
    ("Shoe size", NAMES, None),
    ("School SIS ID", NAMES, "school"),
    ("Course SIS ID", CLASSES, "course"),
)


@pytest.mark.parametrize(("name", "spellings", "meaning"), MEANINGS)
def test_headers_mean_the_same_in_several_spellings(
    name: str, spellings: Spellings, meaning: str | None
) -> None:
    """With words before them that say whose they are, or without."""
    assert meaning == meaning_of(name, spellings)


PARENTS = "Parent Id,Pupil Ref,Name,Relationship,Email\n{0}1,101,Al Ash,Father,al@example.edu\n{0}2,102,Bee Bay,Mother,bee@example.edu\n{0}2,103,Bee Bay,Mother,bee@example.edu"


@pytest.mark.parametrize(
    ("prefix", "agents"),
    [
        ("c", {"texts": "Parents.Parent Id"}),
        ("10", {"derived_each": "contact", "column": "Parents.Parent Id"}),
    ],
)
def test_contacts_belong_to_their_students(
    prefix: str, agents: dict[str, str], tmp_path: Path
) -> None:
    """A parent of two students is one person; students name their contacts, also where ids have to be distinguished."""
    made = guessed(tmp_path, {**WIDE, "Parents": PARENTS.format(prefix)})

    layout = read_mapping(tomllib.loads(made.text)).layout
    assert layout is not None
    roster = normalized(tmp_path / "drop", layout)
    users = judged(roster).standing["users"].accepted
    assert (agents, 9) == (said(made, "Pupils", "users")["agentSourcedIds"], users.height)
    assert 3 == users["agentSourcedIds"].count()
    assert {"parent": 2} == dict(
        roster.tables["roles"].frame.filter(role="parent").group_by("role").len().iter_rows()
    )


def test_contacts_with_ids_that_cannot_be_listed_are_left_open(tmp_path: Path) -> None:
    """Ids in lists are made in lower case."""
    made = guessed(tmp_path, {**WIDE, "Parents": PARENTS.format("P ")})

    assert ['agentSourcedIds = {derived_each = "contact", column = "Parents.Parent Id"}'] == todo(
        made
    )[1:]


def test_contacts_who_are_known_by_names_get_digests(tmp_path: Path) -> None:
    """Nobody is to read a name in an id; pupils name their contacts by the same digests."""
    parents = "Email,Pupil Ref,Name,Relationship\nal@example.edu,101,Al Ash,Father\nBee@example.edu,102,Bee Bay,Mother\n"
    made = guessed(tmp_path, {**WIDE, "Parents": parents})

    layout = read_mapping(tomllib.loads(made.text)).layout
    assert layout is not None
    users = normalized(tmp_path / "drop", layout).tables["users"].frame
    named = users["agentSourcedIds"].drop_nulls().to_list()
    assert {"digested": "contact", "parts": "Name"} == said(made, "Parents", "users")["sourcedId"]
    assert {"digested_each": "contact", "column": "Parents.Name"} == said(made, "Pupils", "users")[
        "agentSourcedIds"
    ]
    assert set(named) == {one for one in users["sourcedId"] if one.startswith("contact-")}
    assert 2 == len(named)


def test_contacts_of_nobody_have_no_join(tmp_path: Path) -> None:
    """Where pupils have no ids, nothing leads to them."""
    made = guessed(
        tmp_path,
        {
            "pupils": "Forename,Surname\nA,B\nA,B",
            "parents": PARENTS.format("c"),
            "schools": "Code,Title\ns,Elm",
        },
    )

    assert "join" not in made.text
    assert {"district": True} == said(made, "parents", "roles")["orgSourcedId"]
    assert "primaryOrgSourcedId" not in said(made, "parents", "users")
