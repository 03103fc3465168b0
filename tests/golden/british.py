"""The sample of School Data Sync V1 in the spelling of the United Kingdom: the same rows below other headers."""

from __future__ import annotations

from pathlib import Path

HEADERS = {"SIS ID": "ID", "School SIS ID": "School DfE Number", "Section SIS ID": "Section ID"}
# Schools are known by the number that the Department for Education gave them; guardians have one spelling.
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
