"""A small drop in Clever's layout, of which a test writes those files anew that it is about."""

from __future__ import annotations

from pathlib import Path

from tests.layouts.normalizing import written

FILES = {
    "schools": "School_id,School_name\n1,Elm\n2,Oak",
    "students": "School_id,Student_id,First_name,Last_name,Grade\n1,s1,Ann,Lee,6\n1,s2,Bo,Ray,7",
    "teachers": "School_id,Teacher_id,First_name,Last_name\n1,t1,Cy,Dow",
    "staff": "School_id,Staff_id,First_name,Last_name,Role\n1,a1,Di,Fox,Counselor",
    "sections": "School_id,Section_id,Teacher_id,Name\n1,c1,t1,Art",
    "enrollments": "School_id,Section_id,Student_id\n1,c1,s1\n1,c1,s2",
}


def clever(folder: Path, **files: str) -> Path:
    """Write the drop, with some files other than usual."""
    return written(folder, **{**FILES, **files})
