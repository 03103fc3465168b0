"""The School Data Sync V1 sample as exported in the United Kingdom: same rows, other headers."""

from __future__ import annotations

from pathlib import Path

HEADERS = {"SIS ID": "ID", "School SIS ID": "School DfE Number", "Section SIS ID": "Section ID"}
# Schools have the number of the Department for Education. Guardians' headers are the same.
OTHERS = {
    "School.csv": {"SIS ID": "DfE Number", "Zip": "Postal Code"},
    "user.csv": {},
    "guardianrelationship.csv": {},
}


def british(drop: Path) -> None:
    """Rename the columns of each file."""
    for path in drop.glob("*.csv"):
        header, _, rows = path.read_text("utf-8").partition("\n")
        names = OTHERS.get(path.name, HEADERS)
        path.write_text(
            ",".join(names.get(name, name) for name in header.split(",")) + "\n" + rows, "utf-8"
        )
