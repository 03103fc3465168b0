"""How layouts are declared, recognized and read.

A layout is one file in `transforms/sources/`: a `Layout` of `File`s. Each file has `rows`, and the
columns of rows are written with the functions of `expressions`.
"""

from transforms.layouts.expressions import (
    Cell,
    birth_date,
    blank,
    both,
    class_role,
    constant,
    day_after,
    derived,
    derived_each,
    digested,
    digested_each,
    district,
    either,
    family_name,
    filled,
    first,
    given,
    given_name,
    grades,
    is_any,
    is_none,
    iso_date,
    joined,
    lowered,
    one_of,
    org_type,
    races,
    role,
    sex,
    status,
    text,
    texts,
    user_ids,
    utc_date,
    yes_no,
)
from transforms.layouts.layout import File, Frames, Join, Layout, Rows, rows
from transforms.layouts.options import ReadingOptions

__all__ = [
    "Cell", "ReadingOptions", "File", "Frames", "Join", "Layout", "Rows", "birth_date", "blank",
    "both", "class_role", "constant", "day_after", "derived", "derived_each", "digested",
    "digested_each", "district", "either", "family_name", "filled", "first", "given",
    "given_name", "grades", "is_any", "is_none", "iso_date", "joined", "lowered", "one_of",
    "org_type", "races", "role", "rows", "sex", "status", "text", "texts", "user_ids",
    "utc_date", "yes_no",
]  # fmt: skip
