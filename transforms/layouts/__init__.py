"""How layouts are declared, recognised and read: files, columns and rows in; OneRoster's entities out.

A layout is one file in `transforms/sources/`: a `Layout` of `File`s, each with the `rows` that it gives, whose columns
are written in the words of `cells`.
"""

from transforms.layouts.cells import (
    Cell,
    birth_date,
    class_role,
    constant,
    derived,
    family_name,
    filled,
    first,
    given,
    given_name,
    grades,
    is_any,
    iso_date,
    joined,
    one_of,
    races,
    role,
    sex,
    status,
    text,
    texts,
    user_ids,
    yes_no,
)
from transforms.layouts.dialect import Dialect
from transforms.layouts.layout import File, Frames, Join, Layout, Rows, rows

__all__ = [
    "Cell", "Dialect", "File", "Frames", "Join", "Layout", "Rows", "birth_date", "class_role", "constant", "derived",
    "family_name", "filled", "first", "given", "given_name", "grades", "is_any", "iso_date", "joined", "one_of", "races", "role", "rows", "sex",
    "status", "text", "texts", "user_ids", "yes_no",
]  # fmt: skip
