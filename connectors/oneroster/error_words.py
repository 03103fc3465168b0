"""The words of a target's error message that may be shown, since they are nobody's personal data.

A message may name people about whom we did not even ask, and no program can tell a name from
another word. So only words that describe errors, names of properties and collections, and short
numbers pass. Every other word is hidden.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from transforms.schemas import ENTITIES

HIDDEN = "…"
# Without words that are common names too: mark, grant, grace, hope, rich, bill, art, young.
_ERROR_WORDS = """
a about above absent academic accept accepted access account action active add added address after
again agent agents all allowed already also an and another any api application are array as at
attempts attribute attributes authentication authorization authorized available bad be bearer
because been before begin being below between blank body boolean both bulk but by bytes can cannot
category change changed character characters check child class classes client code column columns
com conflict connection constraint contain contained contains content correct could course courses
create created credentials current data database date datetime dates declined default delete
deleted demographics denied description detected did different digits disabled district do does
down duplicate duplicated during each either element email empty enabled end ended entity entries
entry error errors exceeded exceeds exception exist existing exists expected expired external fail
failed failure false few field fields filter for forbidden foreign format formed found from
gateway get given grade grades greater group grouping guid has have header holds href html http id
identifier identifiers ids if illegal in incomplete incorrect incorrectly inactive input integer
internal into invalid invaliddata is it item items its json key kind known large least length less
like limit limits line link links list longer lookup lower maintenance malformed many match
maximum message method metadata minimum missing more most must name named names needed negative
network no none not nothing now null number numbers object objects of offset on once one only
operation or org organization organizations orgs other out outside overloaded own parameter
parameters parent parents parse parsed parsing part pass password path pattern payload pending per
permission permitted phone please positive possible present primary problem process processed
processing properties property provided provider put query quota quoted range rate read reason
received record records reference referenced references refused reject rejected relation remove
removed repeated replace request requested requests require required resolve resolved resource
resources response result results retry role roles row rows same schema scope school schools score
scores second seconds section sections seen sent server service session sessions set shape short
should size smaller some something sort source state status still string strings student students
subject subjects syntax system taken target teacher teachers temporarily temporary term terms text
than that the their them then there these they this throttled time timed timeout timestamp to
token too true try twice type types unable unauthorized unauthorized unavailable unexpected unique
unknown unknownobject unprocessable unrecognized unrecognized unresolved unsupported until updated
update upper uri url use used user username users uuid valid validation value values version
violates violation was welcome were when where which while with within without write wrong year
years zero two three four five six seven eight nine ten hundred thousand first last next
server_busy internal_server_error unauthorisedrequest e-mail date-time asc desc re-try non-empty
"""
WORDS = frozenset(_ERROR_WORDS.split())
# Names too, but only when capitalized.
_LOWER = frozenset({"may", "will", "long", "day", "days", "page"})
# Numbers in a row are one token: a telephone number, or a date of birth.
_TOKEN = re.compile(r"\d+(?:[ .()/-]{1,2}\d+)+|[^\W_][\w]*(?:[.@'’+/:\\-]+\w+)*|\w+")
_PARTS = re.compile(r"[./:\\_-]+")
_REPEATED = re.compile(rf"{HIDDEN}(?:[\s,]{{1,2}}{HIDDEN})+")
_LONGEST_NUMBER = 3
_NAMES = frozenset(
    name.casefold()
    for entity in ENTITIES.values()
    for name in (
        entity.name,
        entity.singular,
        *(part for column in entity.current for part in column.name.split(".")),
    )
)


def hide_personal_words(text: str, also: Collection[str] = ()) -> str:
    """Hide all words that may be personal; those in `also`, such as ids, stay too."""
    return _REPEATED.sub(
        HIDDEN, _TOKEN.sub(lambda found: found[0] if _passes(found[0], also) else HIDDEN, text)
    )


def _passes(token: str, also: Collection[str]) -> bool:
    if token.isdecimal():
        return token in also or len(token) <= _LONGEST_NUMBER
    if token in also or _is_impersonal(token):
        return True
    return "@" not in token and all(map(_is_impersonal, filter(None, _PARTS.split(token))))


def _is_impersonal(word: str) -> bool:
    return word in _LOWER or word.casefold() in WORDS or word.casefold() in _NAMES
