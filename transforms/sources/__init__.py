"""Normalize a drop: step 2 of the pipeline. One module declares one layout.

Every module of this folder declares a `LAYOUT`, and is found by that. OneRoster itself has a
manifest and versions, so `oneroster` reads it with its own code.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import import_module
from pkgutil import iter_modules

from transforms.findings import Findings, file_finding, merge_findings
from transforms.layouts.idle_settings import unused_settings
from transforms.layouts.ids import add_prefix
from transforms.layouts.layout import Layout
from transforms.layouts.match import fit_of
from transforms.layouts.normalize import normalize_declared
from transforms.layouts.options import ReadingOptions
from transforms.roster import Raw, Roster
from transforms.sources import oneroster

AUTO = "auto"
ONEROSTER = "oneroster"


def _declared() -> dict[str, Layout]:
    names = sorted(module.name for module in iter_modules(__path__) if module.name != ONEROSTER)
    layouts = [import_module(f"{__name__}.{name}").LAYOUT for name in names]
    return {layout.code: layout for layout in layouts}


LAYOUTS: dict[str, Layout] = _declared()
SOURCES: tuple[str, ...] = (ONEROSTER, *LAYOUTS)


@dataclass(frozen=True)
class RecognizedLayout:
    """The layout of a drop."""

    layout: Layout | str | None  # None: unknown, or not certain
    findings: Findings  # why


def normalize(layout: Layout | str, raw: Raw, dialect: ReadingOptions) -> Roster:
    """Convert a drop to OneRoster 1.2's columns and spelling.

    A value that cannot be normalized stays as it was. `layout` is a declared layout, the code of
    one, or `auto`, which recognizes it. Passwords are removed here, unless the dialect keeps
    `secrets`.
    """
    if not raw.files and raw.findings.fatal.height:  # no file could be read
        return Roster({}, findings=raw.findings)
    found = recognize(layout, raw)
    if found.layout is None:
        return Roster({}, findings=merge_findings([raw.findings, found.findings]))
    if idle := [*idle_settings(found.layout, dialect)]:
        return Roster(
            {},
            findings=merge_findings(
                [found.findings, *(file_finding("setting_idle", "", one) for one in idle)]
            ),
        )
    if isinstance(found.layout, Layout) and found.layout.base:
        roster = oneroster.normalize_oneroster(oneroster.renamed(raw, found.layout), dialect)
    elif found.layout == ONEROSTER:
        roster = oneroster.normalize_oneroster(raw, dialect)
    else:
        roster = normalize_declared(_layout(found.layout), raw, dialect)
    roster = add_prefix(roster, dialect.prefix)
    return replace(roster, findings=merge_findings([found.findings, roster.findings]))


def is_declared(layout: Layout | str, raw: Raw) -> bool:
    """Whether a layout declares how a drop becomes OneRoster; only these ask the ledger."""
    found = recognize(layout, raw).layout
    return found in LAYOUTS if isinstance(found, str) else found is not None and not found.base


def idle_settings(layout: Layout | str, dialect: ReadingOptions) -> Iterator[str]:
    """Yield a sentence for each setting of the feed file that the layout does not use."""
    standard = layout == ONEROSTER or (isinstance(layout, Layout) and bool(layout.base))
    return unused_settings(None if standard else _layout(layout), dialect, LAYOUTS)


def recognize(layout: Layout | str, raw: Raw) -> RecognizedLayout:
    """Recognize the layout of a drop by its files and columns, if `layout` is `auto`."""
    if layout != AUTO:
        return RecognizedLayout(layout, Findings())
    if oneroster.is_certain(raw):
        return RecognizedLayout(ONEROSTER, Findings())
    fits = {code: fit_of(declared, raw) for code, declared in LAYOUTS.items()}
    fitting = {code: one for code, one in fits.items() if one.fits}
    if len(fitting) > 1:
        return RecognizedLayout(None, file_finding("layout_unclear", "", " and ".join(fitting)))
    for code, one in fitting.items():
        return RecognizedLayout(
            code, file_finding("layout_recognised", "", f"{code}: {'; '.join(one.found)}")
        )
    if oneroster.has_sourced_ids(raw) or not raw.files:
        return RecognizedLayout(ONEROSTER, Findings())
    code, nearest = min(
        fits.items(),
        key=lambda one: (not one[1].found, len(one[1].lacking) - len(one[1].found), one[0]),
    )
    if oneroster.has_usable_file(raw) and not nearest.found:
        return RecognizedLayout(ONEROSTER, Findings())
    why = (
        f"nearest is {code}, but for {'; '.join(nearest.lacking)}"
        if nearest.found
        else f"there are {', '.join(sorted(raw.files))}"
    )
    return RecognizedLayout(None, file_finding("layout_unknown", "", why))


def escape_character(layout: Layout | str, raw: Raw) -> str:
    """Return the character that escapes quotes inside cells in the layout of a drop.

    Blank for layouts that follow RFC 4180, and double them.
    """
    found = recognize(layout, raw).layout
    return "" if found is None or found == ONEROSTER else _layout(found).escape


def _layout(layout: Layout | str) -> Layout:
    return LAYOUTS[layout] if isinstance(layout, str) else layout
