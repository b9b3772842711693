"""Scalars that look like something: by their type, and by what they are called.

``email: str`` is an address, ``port: int`` a port, ``created: datetime`` a moment of
the last years. Hosts, networks and numbers are those that are set aside for examples
(RFC 2606, RFC 5737), so that nothing made here leads to anybody. All are far shorter
than a value on the wire may be, but for ``long_text``.
"""

from __future__ import annotations

import base64
import uuid
from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

from ampgen.runtime.values import Scalar
from ampgen.targets.python.names import snake_case
from ampgen.tools.mock import vocabulary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from ampgen.runtime.jsonvalue import Json
    from ampgen.tools.mock.chance import Chance

    Maker = Callable[[Chance], str]

_FIRST_YEAR = datetime(2024, 1, 1, tzinfo=UTC)
_SECONDS = 2 * 365 * 24 * 60 * 60


def scalar(kind: Scalar, chance: Chance, name: str, about: str = "") -> Json:
    """A value as JSON. ``name`` is the field's, ``about`` that of what has the field.

    Raises ``ValueError`` for a descriptor: none can be made up.
    """
    words = words_of(name)
    match kind:
        case Scalar.BOOL:
            return chance.below(2) == 1
        case Scalar.INT:
            return _int(chance, words)
        case Scalar.FLOAT:
            return _float(chance, words)
        case Scalar.STR:
            return text(chance, words, words_of(about))
        case Scalar.BYTES:
            return base64.b64encode(_raw(chance, words)).decode()
        case Scalar.DECIMAL:
            return f"{chance.between(1, 999)}.{chance.below(100):02}"
        case Scalar.DATETIME:
            return _moment(chance).isoformat()
        case Scalar.DATE:
            return _day(chance, words).isoformat()
        case Scalar.DURATION:
            return chance.pick((0.25, 1, 1.5, 5, 12.75, 30, 90, 600, 3600, 86400))
        case Scalar.UUID:
            return _uuid(chance)
        case Scalar.JSON:
            return {"name": _thing(chance), "count": chance.between(1, 20)}
        case Scalar.PATH:
            return _path(chance)
        case Scalar.FD:
            raise ValueError("a file descriptor cannot be made up")


def words_of(name: str) -> list[str]:
    """The words of a name, each in lower case and the singular as well as may be."""
    return [_singular(word) for word in snake_case(name).split("_") if word]


def long_text(chance: Chance, length: int) -> str:
    """Sentences, of at least so many characters."""
    sentences: list[str] = []
    size = 0
    while size < length:
        sentence = _sentence(chance)
        sentences.append(sentence)
        size += len(sentence) + 1
    return "\n".join(sentences) + "\n"


# --- text -----------------------------------------------------------------------------


def text(chance: Chance, words: list[str], about: list[str]) -> str:
    """The last word of a name says most: `file_name` is a name, `name_file` a file."""
    if words[-1:] == ["name"]:
        return _name(chance, words[:-1] or about)
    for word in reversed(words):
        if word in vocabulary.PEOPLE:
            return _person(chance)
        maker = TEXTS.get(word)
        if maker is not None:
            return maker(chance)
    return _thing(chance)


def _name(chance: Chance, of: list[str]) -> str:
    for word in reversed(of):
        if word in NAMES:
            return NAMES[word](chance)
        if word in vocabulary.PEOPLE:
            return _person(chance)
        if word in vocabulary.FILES:
            return _file(chance)
        if word in vocabulary.PLACES:
            return chance.pick(vocabulary.CITIES)
    return _thing(chance)


def _person(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.FIRST_NAMES)} {chance.pick(vocabulary.LAST_NAMES)}"


def _thing(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.ADJECTIVES)} {chance.pick(vocabulary.NOUNS)}"


def _sentence(chance: Chance) -> str:
    return f"The {_thing(chance)} {chance.pick(vocabulary.VERBS)} the {_thing(chance)}."


def _title(chance: Chance) -> str:
    return _thing(chance).capitalize()


def _host(chance: Chance) -> str:
    return (
        f"{chance.pick(vocabulary.NOUNS)}.example.{chance.pick(vocabulary.TOP_LEVELS)}"
    )


def _email(chance: Chance) -> str:
    return (
        f"{chance.pick(vocabulary.LOGINS)}@example.{chance.pick(vocabulary.TOP_LEVELS)}"
    )


def _url(chance: Chance) -> str:
    noun = chance.pick(vocabulary.NOUNS)
    return f"https://{_host(chance)}/{noun}/{chance.between(1, 999)}"


def _ip(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.NETWORKS)}.{chance.between(1, 254)}"


def _street(chance: Chance) -> str:
    return (
        f"{chance.between(1, 120)} {chance.pick(vocabulary.NOUNS).capitalize()} Street"
    )


def _address(chance: Chance) -> str:
    return f"{_street(chance)}, {chance.pick(vocabulary.CITIES)}"


def _phone(chance: Chance) -> str:
    return f"+1 202 555 01{chance.below(100):02}"


def _file(chance: Chance) -> str:
    number = chance.between(1, 99)
    return (
        f"{chance.pick(vocabulary.NOUNS)}-{number}.{chance.pick(vocabulary.EXTENSIONS)}"
    )


def _folder(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.FOLDERS)}/{chance.pick(vocabulary.NOUNS)}"


def _path(chance: Chance) -> str:
    return f"{_folder(chance)}/{_file(chance)}"


def _slug(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.ADJECTIVES)}-{chance.pick(vocabulary.NOUNS)}"


def _id(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.NOUNS)}-{chance.between(1000, 9999)}"


def _code(chance: Chance) -> str:
    return f"{chance.pick(vocabulary.NOUNS)[:3].upper()}-{chance.between(100, 999)}"


def _hex(chance: Chance) -> str:
    return f"{chance.below(16**32):032x}"


def _version(chance: Chance) -> str:
    return f"{chance.below(10)}.{chance.below(20)}.{chance.below(10)}"


def _moment(chance: Chance) -> datetime:
    return _FIRST_YEAR + timedelta(seconds=chance.below(_SECONDS))


def _time(chance: Chance) -> str:
    return _moment(chance).isoformat()


def _uuid(chance: Chance) -> str:
    return str(uuid.UUID(int=chance.below(2**128), version=4))


def _from(choices: Sequence[str]) -> Maker:
    return lambda chance: chance.pick(choices)


def _table(*rows: tuple[str, Maker]) -> Mapping[str, Maker]:
    return {word: maker for words, maker in rows for word in words.split()}


NAMES = _table(
    ("first given", _from(vocabulary.FIRST_NAMES)),
    ("last family middle sur", _from(vocabulary.LAST_NAMES)),
    ("full", _person),
    ("login nick screen", _from(vocabulary.LOGINS)),
    ("host domain server", _host),
)
"""Of whom or what a name may be, beside the sets above."""

TEXTS = _table(
    ("firstname forename", _from(vocabulary.FIRST_NAMES)),
    ("lastname surname", _from(vocabulary.LAST_NAMES)),
    ("username login nick nickname handle", _from(vocabulary.LOGINS)),
    ("email mail", _email),
    ("phone telephone mobile fax", _phone),
    ("url uri link href homepage website endpoint", _url),
    ("host hostname domain server node machine peer", _host),
    ("ip", _ip),
    ("address", _address),
    ("street", _street),
    ("city town place location station", _from(vocabulary.CITIES)),
    ("country nation", _from(vocabulary.COUNTRIES)),
    ("currency", _from(vocabulary.CURRENCIES)),
    ("language lang", _from(vocabulary.LANGUAGES)),
    ("locale", _from(vocabulary.LOCALES)),
    ("timezone zone tz", _from(vocabulary.ZONES)),
    ("colour color", _from(vocabulary.COLOURS)),
    ("state status phase", _from(vocabulary.STATES)),
    ("unit", _from(vocabulary.UNITS)),
    ("mime mimetype", _from(vocabulary.MEDIA_TYPES)),
    ("tag label category topic keyword word", _from(vocabulary.NOUNS)),
    ("title subject headline heading caption", _title),
    ("text body message content description comment note line summary", _sentence),
    ("reason question answer sentence page paragraph remark detail", _sentence),
    ("path", _path),
    ("folder directory dir", _folder),
    ("file filename document attachment", _file),
    ("slug", _slug),
    ("id key ref reference", _id),
    ("code sku", _code),
    ("uuid guid", _uuid),
    ("hash digest checksum etag fingerprint token secret password signature", _hex),
    ("version release", _version),
    ("time timestamp date datetime created updated", _time),
    ("extension ext suffix", _from(vocabulary.EXTENSIONS)),
)
"""What a text looks like that is called so."""


# --- numbers, bytes and days ----------------------------------------------------------

INTS: Mapping[str, tuple[int, int]] = {
    word: limits
    for words, limits in (
        ("port", (1024, 65535)),
        ("year", (1990, 2030)),
        ("month", (1, 12)),
        ("day", (1, 28)),
        ("hour", (0, 23)),
        ("minute second", (0, 59)),
        ("age", (18, 90)),
        ("percent percentage progress", (0, 100)),
        ("id number pid uid gid", (1, 99_999)),
        ("size length bytes offset position", (1, 1_000_000)),
        ("width height", (16, 1920)),
        ("count times total limit amount quantity done", (1, 50)),
        ("retry attempt level priority depth rank", (1, 5)),
        ("index line page row column", (1, 200)),
        ("price cost sum balance", (100, 100_000)),
        ("timestamp created updated", (1_704_067_200, 1_767_225_600)),
        ("x y z", (-100, 100)),
        ("millisecond ms", (1, 5000)),
    )
    for word in words.split()
}
"""From what to what an int is that is called so."""

FLOATS: Mapping[str, tuple[int, int]] = {
    word: limits
    for words, limits in (
        ("latitude lat", (-90, 90)),
        ("longitude lon lng", (-180, 180)),
        ("ratio rate fraction probability confidence progress load", (0, 1)),
        ("percent percentage", (0, 100)),
        ("temperature", (-10, 35)),
        ("score rating", (0, 10)),
        ("price cost amount", (1, 1000)),
        ("x y z", (-100, 100)),
    )
    for word in words.split()
}


def _int(chance: Chance, words: list[str]) -> int:
    for word in reversed(words):
        if word in INTS:
            return chance.between(*INTS[word])
    return chance.between(0, 1000)


def _float(chance: Chance, words: list[str]) -> float:
    low, high = 0, 1000
    for word in reversed(words):
        if word in FLOATS:
            low, high = FLOATS[word]
            break
    return chance.between(low * 1000, high * 1000) / 1000


def _raw(chance: Chance, words: list[str]) -> bytes:
    for word in words:
        if TEXTS.get(word) is _hex:
            return bytes.fromhex(_hex(chance))
    return _sentence(chance).encode()


def _day(chance: Chance, words: list[str]) -> date:
    if {"born", "birthday", "birth"} & set(words):
        return date(1950, 1, 1) + timedelta(days=chance.below(55 * 365))
    return _moment(chance).date()


def _singular(word: str) -> str:
    if word in ("bytes", "times"):  # mean something of their own
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes")):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "us", "is")) and len(word) > 3:
        return word[:-1]
    return word
