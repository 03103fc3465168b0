"""An invented API: another prefix, other wrappers, two collections less, and a vocabulary of its own."""

from __future__ import annotations

from dataclasses import replace

from connectors.oneroster.profile import Collection, TargetProfile, View, standard_profile
from transforms.target_vocabulary import MappedColumn, TargetVocabulary

PREFIX = "/school/api/"
MISSING = ("demographics", "categories")
STANDARD = standard_profile("1.2")


def _collection(one: Collection) -> Collection:
    path = one.path.replace(STANDARD.prefix, PREFIX).replace("/v1p2/", "/")
    return replace(one, path=path, wrapper="record", list_key="records")


SECOND = TargetProfile(
    name="second",
    prefix=PREFIX,
    collections={
        name: _collection(one) for name, one in STANDARD.collections.items() if name not in MISSING
    },
    views={"schools": View(f"{PREFIX}rostering/schools", "records")},
    vocabulary=TargetVocabulary(
        words={"subjects": ("Maths", "English")},
        maps={"subjects": {"Math": "Maths", "Maths": "Maths", "English": "English"}},
        columns={
            ("courses", "subjects"): MappedColumn("subjects"),
            ("classes", "subjects"): MappedColumn("subjects"),
        },
    ),
    largest_page=2,
)
