"""What is seen of a conversation, box by box: who, what, when, and what is wrong."""

from __future__ import annotations

import tracemalloc
from typing import TYPE_CHECKING, Any

import pytest

from ampgen.runtime.errors import Fault
from ampgen.runtime.large import LargeBox
from ampgen.runtime.wire import write_box
from ampgen.tools.memory import Loaded, load_schemas, load_texts
from ampgen.tools.recordings.withholding import kept
from ampgen.tools.seeing.conversation import MAX_ASKS, Conversation
from ampgen.tools.seeing.framing import MAX_BOX
from ampgen.tools.seeing.seen import (
    Blame,
    Break,
    Kind,
    Opaque,
    SeenBox,
    SeenBytes,
    Side,
)
from tests.vectors.cases import SCHEMA, load, unpack

if TYPE_CHECKING:
    from ampgen.tools.seeing.seen import Seen

CLIENT, SERVER = Side

TEXT = """
enum Level { LOW = "low"; }
struct Card { number: str; @sensitive pin: str; @wire("e-mail") mail: str?; }
union Way { card: Card; token: str; steps: [Way]; }
struct Slip { @sensitive scores: {str: int}; levels: [Level] = []; }
error Refused "REFUSED" { left: int?; @sensitive reason: str?; }
fatal error Broken "BROKEN";

service Bank {
    command Pay(card: Card, amount: decimal, @sensitive password: str)
        -> (rest: decimal) raises Refused, Broken;
    command By(ways: [Way], by_name: {str: Way} = {}, slip: Slip?);
    command Tail(name: str) -> stream (line: str, @sensitive raw: bytes?);
    command Sum(numbers: stream int) -> int;
    command Put(page: large bytes, @sensitive secret: large str = "",
        cards: large [Card] = []);
    oneway command Said(text: str);
}
service Shop {
    @wire("Pay") command Buy(basket: [str]) -> (@sensitive receipt: str);
}
"""


@pytest.fixture(scope="module")
def loaded() -> Loaded:
    return load_texts({"bank.amp": TEXT}, ["bank.amp"])


@pytest.fixture
def talk(loaded: Loaded) -> Conversation:
    return Conversation(loaded)


def box(more: dict[str, bytes] | None = None, /, **pairs: Any) -> bytes:
    return write_box(
        {
            key.encode(): value if isinstance(value, bytes) else value.encode()
            for key, value in {**(more or {}), **pairs}.items()
        }
    )


def one_of(found: list[Seen]) -> SeenBox:
    [seen] = found
    assert isinstance(seen, SeenBox)
    return seen


def said(
    talk: Conversation, side: Side, at: float | None = None, /, **keys: Any
) -> SeenBox:
    return one_of(talk.feed(side, box(**keys), at))


def other(found: list[Seen]) -> SeenBytes:
    [seen] = found
    assert isinstance(seen, SeenBytes)
    return seen


# --- what Twisted says ----------------------------------------------------------------


@pytest.mark.parametrize("vector", load("talks.json"), ids=lambda one: one["name"])
def test_conversations_of_twisted_s_are_seen_as_they_were(vector: Any) -> None:
    schema = load_schemas([SCHEMA])
    talk = Conversation(schema)
    asked: dict[tuple[str, bytes], dict[str, Any]] = {}
    calls: list[dict[str, Any]] = []
    for step in vector["steps"]:
        if "caller" in step:
            calls.append(step)
        if "from" not in step:
            continue
        for seen in talk.feed(Side(step["from"]), unpack(step["bytes"])):
            assert isinstance(seen, SeenBox)
            assert not seen.blames
            assert not seen.others
            assert seen.known
            assert seen.model is not None
            if seen.kind in (Kind.ASK, Kind.ONEWAY):
                call = calls.pop(0)
                names = {"AskedLog": "Log", "UnaskedSum": "Sum"}
                assert seen.command == names.get(call["command"], call["command"])
                assert seen.sender == call["caller"]
                renamed = {"times": "how_many"}
                assert call["with"] == {
                    renamed.get(name, name): str(value)
                    for name, value in seen.fields.items()
                }
                if seen.tag is not None:
                    asked[seen.sender, seen.tag] = call
                continue
            assert seen.tag is not None
            call = asked.pop((seen.sender.other, seen.tag))
            if seen.kind is Kind.ANSWER:
                renamed = {"answer": "the_answer"}
                assert call["result"] == {
                    renamed.get(name, name): str(value)
                    for name, value in seen.fields.items()
                }
                continue
            codes = {"UnknownRemoteError": "UNKNOWN", "UnhandledCommand": "UNHANDLED"}
            error = call["error"]
            if error in codes:
                assert seen.code == codes[error]
            else:
                assert seen.error is not None
                assert seen.error.name == error
    assert not asked
    assert not calls


# --- calls ----------------------------------------------------------------------------


def test_an_answer_is_told_by_what_it_answers(talk: Conversation) -> None:
    card = box(number="1", pin="0815", **{"e-mail": "a@b"})
    asked = said(
        talk,
        CLIENT,
        10.0,
        _command="Pay",
        _ask="1f",
        card=card,
        amount="1.50",
        password="hunter2",
        _timeout="1500",
        **{"_meta.trace": "x", "_peer": "cancel stream"},
    )
    assert (asked.kind, asked.command, asked.service) == (Kind.ASK, "Pay", "Bank")
    assert (asked.tag, asked.at, asked.offset) == (b"1f", 10.0, 0)
    assert asked.fields == {
        "card": {"number": "1", "pin": "[hidden]", "mail": "a@b"},
        "amount": "1.50",
        "password": "[hidden]",
    }
    assert asked.hidden == ("card.pin", "password")
    assert asked.extras == {"timeout": 1.5, "understands": ["cancel", "stream"]}
    assert asked.metadata == {"trace": "x"}
    assert not asked.fault
    answer = said(talk, SERVER, 10.25, _answer="1f", rest="3")
    assert (answer.kind, answer.command, answer.service) == (Kind.ANSWER, "Pay", "Bank")
    assert answer.fields == {"rest": "3"}
    assert answer.elapsed == 0.25
    assert not answer.fault


def test_tags_of_both_directions_are_their_own(talk: Conversation) -> None:
    said(talk, CLIENT, _command="Said", _ask="1", text="a")
    said(talk, SERVER, _command="Tail", _ask="1", name="b")
    assert said(talk, CLIENT, _answer="1").command == "Tail"
    assert said(talk, SERVER, _answer="1").command == "Said"


def test_of_commands_of_one_name_the_one_that_fits_is_taken(
    talk: Conversation,
) -> None:
    asked = said(talk, CLIENT, _command="Pay", _ask="1", basket=b"\0\1a")
    assert (asked.service, asked.fields) == ("Shop", {"basket": ["a"]})
    answer = said(talk, SERVER, _answer="1", receipt="x")
    assert answer.service == "Shop"
    assert answer.fields == {"receipt": "[hidden]"}


@pytest.mark.parametrize("first", ["a.amp", "b.amp"])
def test_where_commands_have_one_name_what_one_calls_sensitive_is(first: str) -> None:
    text = """
    struct Key{1} {{ {0} word: str; }}
    error No{1} "NO" {{ {0} hint: str?; }}
    service S{1} {{
        @wire("In") command In{1}(name: str, {0} pin: str, key: Key{1})
            -> (ok: str, {0} token: str) raises No{1};
    }}
    """
    texts = {"a.amp": text.format("", 1), "b.amp": text.format("@sensitive", 2)}
    [other] = texts.keys() - {first}
    talk = Conversation(load_texts(texts, [first, other]))
    key = box(word="s3cret")
    asked = said(
        talk, CLIENT, _command="In", _ask="1", name="ada", pin="s3cret", key=key
    )
    said(talk, CLIENT, _command="In", _ask="2", name="ada", pin="s3cret", key=key)
    answer = said(talk, SERVER, _answer="1", ok="yes", token="s3cret")
    error = said(
        *(talk, SERVER),
        _error="2",
        _error_code="NO",
        _error_description="",
        hint="s3cret",
    )
    assert asked.fields["name"] == "ada"
    assert answer.fields == {"ok": "yes", "token": "[hidden]"}
    for one in (asked, answer, error):
        assert "s3cret" not in str(one.fields)
        assert "s3cret" not in str(kept(one))


def test_an_error_has_its_fields(talk: Conversation) -> None:
    asked = {"card": box(number="1", pin="2"), "amount": "1", "password": "p"}
    said(talk, CLIENT, _command="Pay", _ask="1", **asked)
    keys: dict[str, Any] = {"_error_code": "REFUSED", "_error_description": "no"}
    error = said(talk, SERVER, _error="1", left="3", reason="secret", **keys)
    assert (error.kind, error.code, error.description) == (Kind.ERROR, "REFUSED", "no")
    assert error.fields == {"left": 3, "reason": "[hidden]"}
    said(talk, CLIENT, _command="Pay", _ask="2", **asked)
    keys = {"_error_code": "BROKEN", "_error_description": ""}
    assert said(talk, SERVER, _error="2", **keys).notes == (
        "fatal: it ends the connection",
    )
    said(talk, CLIENT, _command="Said", _ask="3", text="")
    bad = said(talk, SERVER, _error="3", _error_code="X")
    assert bad.blames == (
        Blame(bad.offset, "_error_description", "required, and missing"),
    )


def test_without_a_schema_there_are_keys_and_lengths() -> None:
    talk = Conversation()
    asked = said(talk, CLIENT, _command="Pay", _ask="1", amount="1.5")
    assert (asked.command, asked.service, asked.known) == ("Pay", None, False)
    assert asked.others == {"amount": Opaque(b"1.5")}
    assert repr(asked.others["amount"]) == "<3 bytes>"
    assert said(talk, SERVER, _answer="1", rest="2").command == "Pay"


def test_what_the_runtime_itself_says(talk: Conversation) -> None:
    said(talk, CLIENT, 1.0, _command="Said", _ask="9", text="a")
    cancel = said(talk, CLIENT, 3.0, _command="_cancel", id="9")
    assert (cancel.kind, cancel.tag, cancel.elapsed) == (Kind.CANCEL, b"9", 2.0)
    assert cancel.fields == {"call": "Said"}
    assert not cancel.others
    more = said(talk, CLIENT, _command="_cancel", id="9", why="late")
    assert more.others == {"why": Opaque(b"late")}
    late = said(talk, CLIENT, _command="_cancel", id="8")
    assert late.notes == ("it is answered already, or was never asked",)
    assert said(talk, CLIENT, _command="_cancel").blames[0].key == "id"
    said(talk, SERVER, _command="_ping", _ask="1")
    pong = said(talk, CLIENT, _answer="1")
    assert (pong.command, pong.known, pong.blames) == ("_ping", True, ())
    said(talk, CLIENT, _command="_schema", _ask="5")
    schemas = box(path="a.amp", source="…") + box(path="b.amp", source="")
    told = said(
        talk, SERVER, _answer="5", schemas=schemas, services=box(name="S", path="a.amp")
    )
    assert told.fields == {"schemas": ["a.amp", "b.amp"], "services": ["S"]}
    said(talk, CLIENT, _command="_schema", _ask="6")
    wrong = said(talk, SERVER, _answer="6", schemas=b"")
    assert [one.key for one in wrong.blames] == ["services"]


def test_what_nobody_may_do_is_blamed(talk: Conversation) -> None:
    def rules(seen: SeenBox) -> list[tuple[str, str]]:
        return [(one.key, one.rule) for one in seen.blames]

    assert rules(one_of(talk.feed(CLIENT, b"\0\0"))) == [
        ("", "a box that is no request, no answer and no error")
    ]
    assert rules(said(talk, CLIENT, _ask="1")) == [
        ("", "a box with an `_ask` and no `_command`")
    ]
    said(talk, CLIENT, _command="Said", _ask="1", text="a")
    assert rules(said(talk, CLIENT, _command="Said", _ask="1", text="a")) == [
        ("_ask", "the answer to this `_ask` is still to come")
    ]
    assert rules(said(talk, SERVER, _answer="7")) == [
        ("_answer", "nobody asked for it")
    ]


def test_what_cannot_be_known_is_no_fault(loaded: Loaded) -> None:
    for talk in (Conversation(loaded, whole=False), Conversation(loaded, midway=True)):
        answer = said(talk, SERVER, _answer="7", password="hunter2", x="1")
        assert answer.notes == ("what was asked is not here",)
        assert not answer.fault
        assert answer.others["password"].hidden  # whatever it answers
        assert not answer.others["x"].hidden


# --- values that do not decode --------------------------------------------------------


def test_a_value_is_blamed_by_its_place_and_the_others_are_shown(
    talk: Conversation,
) -> None:
    talk.feed(CLIENT, box(_command="Said", text="x"))  # so that offsets are not zero
    ways = box(token="x") + box(steps=box(card=box(number="1", pin=b"\xff")))
    asked = box(_command="By", _ask="1", ways=ways, zz="1")
    seen = one_of(talk.feed(CLIENT, asked))
    [blame] = seen.blames
    assert blame.key == "ways[1].steps[0].card.pin"
    assert blame.rule == "not UTF-8 at byte 0"
    start = len(box(_command="Said", text="x"))
    assert blame.offset == start + asked.index(b"\xff")
    assert seen.fields == {"ways": Opaque(ways, hidden=True)}
    assert seen.hidden == ("ways",)
    assert seen.others == {"zz": Opaque(b"1")}


@pytest.mark.parametrize(
    ("keys", "key", "rule"),
    [
        ({"slip": box(scores=b"\0\1x")}, "slip.scores[0]", "a box is cut short"),
        (
            {"slip": box(scores=box(key="a", value="1") * 2)},
            "slip.scores[1]",
            "a key comes twice",
        ),
        (
            {"slip": box(scores=b"", levels=b"\0\3low\0\3mid")},
            "slip.levels[1]",
            "none of Level's low",
        ),
        ({"slip": box(scores=b"") + b"xyz"}, "slip", "3 bytes left over after the box"),
        ({"slip": box()}, "slip.scores", "required, and missing"),
        (
            {"by_name": box(key="a")},
            "by_name[0]",
            "a pair of a map has a key and a value",
        ),
        (
            {"ways": box(card=box(number="1"))},
            "ways[0].card.pin",
            "required, and missing",
        ),
        ({"ways": box()}, "ways[0]", "a union has exactly one key, this one has 0"),
        ({"ways": box(x="")}, "ways[0]", "the member is none of card, token, steps"),
        ({"ways": b"\0\4card\xff"}, "ways[0]", "a box is cut short"),
        ({"ways": None}, "ways", "required, and missing"),
    ],
)
def test_what_is_wrong_inside_is_told_by_its_path(
    talk: Conversation, keys: dict[str, bytes | None], key: str, rule: str
) -> None:
    given = {"ways": b"", **keys}
    written = {name: value for name, value in given.items() if value is not None}
    seen = one_of(talk.feed(CLIENT, box(written, _command="By")))
    assert [(one.key, one.rule) for one in seen.blames] == [(key, rule)]


def test_nesting_is_refused_as_deep_as_the_generated_code_does(
    talk: Conversation, loaded: Loaded
) -> None:
    [root] = loaded.schema.roots
    commands = loaded.python(root, "BankServer").__ampgen_commands__
    [by] = [command for command, _ in commands if command.name == "By"]
    ways = box(token="x")
    depths: list[int] = []
    for depth in range(100):
        ways = box(steps=ways)
        seen = said(talk, CLIENT, _command="By", ways=ways)
        if seen.blames:
            assert [one.rule for one in seen.blames] == ["nested too deep"]
            with pytest.raises(Fault, match="nested too deep"):
                by.read_arguments(box(ways=ways), 0, 64)
        else:
            by.read_arguments(box(ways=ways), 0, 64)
            depths.append(depth)
    assert depths == list(range(len(depths)))
    assert 10 < len(depths) < 64


def test_unknown_keys_in_structs_are_listed_by_their_path(talk: Conversation) -> None:
    card = box(number="1", pin="2", nick="n")
    seen = said(
        talk,
        CLIENT,
        _command="By",
        ways=box(card=card),
        by_name=box(key="k", value=box(card=card), more="m"),
        _later="",
    )
    assert set(seen.others) == {
        "ways[0].card.nick",
        "by_name[0].card.nick",
        "by_name[0].more",
        "_later",
    }
    assert seen.hidden == ("ways[0].card.pin", "by_name[0].card.pin")


def test_a_key_that_comes_twice_counts_once(talk: Conversation) -> None:
    twice = b"\0\x08_command\0\4Said\0\4text\0\1a\0\4text\0\1b\0\0"
    seen = one_of(talk.feed(CLIENT, twice))
    assert seen.fields == {"text": "b"}
    assert seen.notes == ("`text` comes more than once, the last counts",)


def test_extras_that_do_not_read_are_ignored_and_told(talk: Conversation) -> None:
    seen = said(talk, CLIENT, _command="Said", text="a", _timeout="-1")
    assert seen.notes == ("ignored: `_timeout`: not a number of at most 18 digits",)
    assert not seen.extras


# --- large values ---------------------------------------------------------------------


def large(**keys: bytes) -> bytes:
    written = LargeBox()
    for key, value in keys.items():
        written.put_large(key.encode(), value)
    return written.write(b"\0\x08_command\0\3Put")


def test_a_large_value_is_put_together(talk: Conversation) -> None:
    written = large(page=b"x" * 200_000, secret=b"s" * 70_000)
    seen = one_of(talk.feed(CLIENT, written))
    page = seen.fields["page"]
    assert isinstance(page, str)
    assert len(page) == 266_668  # in base64
    assert seen.fields["secret"] == "[hidden]"
    assert not seen.others


def test_a_fault_deep_in_a_large_value_has_its_place(talk: Conversation) -> None:
    cards = box(number="1", pin="2") * 9000 + box(number=b"\xff", pin="2")
    written = large(page=b"x", cards=cards)
    seen = one_of(talk.feed(CLIENT, written))
    assert [(one.key, one.offset) for one in seen.blames] == [
        ("cards[9000].number", written.index(b"\0\1\xff\0\3pin") + 2)
    ]


def test_a_piece_that_is_missing_is_blamed(talk: Conversation) -> None:
    written = large(page=b"x", secret=b"s" * 70_000)
    cut = written.replace(b"secret.2", b"secret.3")
    seen = one_of(talk.feed(CLIENT, cut))
    assert [one.rule for one in seen.blames] == ["its piece `secret.2` is missing"]
    assert "[hidden" not in str(seen.others)  # its pieces are no unknown keys
    assert not seen.others


def test_the_rest_of_a_value_that_is_not_large_is_no_secret_s_way_out(
    talk: Conversation,
) -> None:
    keys = {"password": b"x" * 65535, "password.2": b"hunter2"}
    seen = one_of(
        talk.feed(CLIENT, box(keys, _command="Pay", card=box(number="", pin="")))
    )
    assert "over 65,535 bytes" in {one.key: one.rule for one in seen.blames}["password"]
    assert seen.others["password.2"].hidden


def test_a_box_beyond_all_bounds_is_seen_without_its_end(talk: Conversation) -> None:
    pair = b"\xff\xff" + b"x" * 65535
    talk.feed(CLIENT, b"\0\x08_command\0\4Said\0\4text\0\1a")
    for number in range(MAX_BOX // 65535 + 5):
        assert not talk.feed(CLIENT, b"\0\4%04d" % number + pair)
    seen = one_of(talk.feed(CLIENT, b"\0\0"))
    assert seen.fields == {"text": "a"}
    [blame] = seen.blames
    assert blame.rule.startswith("too long: ")
    assert said(talk, CLIENT, _command="Said", text="b").offset == seen.size


def test_many_short_pairs_take_no_more_than_long_ones(talk: Conversation) -> None:
    pairs = b"".join(b"\0\3%b\0\0" % n.to_bytes(3, "big") for n in range(200_000))
    talk.feed(CLIENT, b"\0\x08_command\0\4Said\0\4text\0\1a" + pairs + pairs)
    seen = one_of(talk.feed(CLIENT, b"\0\0"))
    assert len(seen.box) < MAX_BOX / 256
    assert seen.blames[0].rule.startswith("too long: ")
    assert seen.fields == {"text": "a"}


# --- streams --------------------------------------------------------------------------


def test_a_stream_of_results(talk: Conversation) -> None:
    def of(side: Side, at: float, name: str, **keys: Any) -> SeenBox:
        return said(talk, side, at, _command=f"Tail._{name}", _stream="7", **keys)

    ask = said(
        talk, CLIENT, 1.0, _command="Tail", _ask="7", _stream="7", _credit="2", name="x"
    )
    assert (ask.kind, ask.extras, ask.stream) == (Kind.ASK, {"credit": 2}, b"7")
    item = of(SERVER, 2.0, "item", line="a", raw=b"secret")
    assert (item.kind, item.command, item.elapsed) == (Kind.ITEM, "Tail", 1.0)
    assert item.fields == {"line": "a", "raw": "[hidden]"}
    credit = of(CLIENT, 2.0, "credit", _credit="64")
    assert (credit.kind, credit.extras) == (Kind.CREDIT, {"credit": 64})
    assert of(CLIENT, 2.0, "stop").kind is Kind.STOP
    end = said(talk, SERVER, 3.0, _answer="7", _stream="7")
    assert (end.fields, end.blames) == ({}, ())
    late = of(SERVER, 4.0, "item", line="b")
    assert late.notes == ("the stream is not open",)
    assert late.fields == {"line": "b"}


def test_a_stream_of_arguments(talk: Conversation) -> None:
    def of(side: Side, name: str, **keys: Any) -> SeenBox:
        return said(talk, side, _command=f"Sum._{name}", _stream="s", **keys)

    said(talk, CLIENT, _command="Sum", _ask="1", _stream="s")
    assert of(SERVER, "send_credit", _credit="9").kind is Kind.CREDIT
    assert of(CLIENT, "send", item="5").fields == {"item": 5}
    assert of(CLIENT, "send", item="five").blames[0].key == "item"
    assert of(SERVER, "send_stop").kind is Kind.STOP
    failed = of(CLIENT, "send_end", _error_code="X", _error_description="gone")
    assert (failed.kind, failed.code, failed.description) == (Kind.END, "X", "gone")
    assert said(talk, SERVER, _answer="1", result="3").fields == {"result": 3}


def test_a_peer_that_answers_a_stream_without_one(talk: Conversation) -> None:
    said(talk, CLIENT, _command="Tail", _ask="7", _stream="7", _credit="2", name="x")
    assert [one.key for one in said(talk, SERVER, _answer="7").blames] == ["_stream"]


# --- bytes that are no boxes ----------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "looks"),
    [
        (b"GET / HTTP/1.1\r\nHost: x\r\n", "HTTP"),
        (b"HTTP/1.1 400 Bad Request\r\n", "HTTP"),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n", "HTTP/2"),
        (b"SSH-2.0-OpenSSH_9.6\r\n", "SSH"),
        (b'{"method": "Pay"}', "JSON"),
        (b"hello there", "text"),
    ],
)
def test_other_protocols_are_named(talk: Conversation, data: bytes, looks: str) -> None:
    at_once = [one for byte in data for one in talk.feed(CLIENT, bytes([byte]))]
    [seen, *unread] = at_once + talk.end(CLIENT)
    assert isinstance(seen, SeenBytes)
    assert (seen.why, seen.offset, seen.fault) == (Break.LOST, 0, True)
    assert seen.rule.endswith(f": this looks like {looks}")
    assert [one.size for one in unread] == [len(data)]


def test_where_framing_is_lost_it_is_told_once_and_the_rest_is_counted(
    talk: Conversation,
) -> None:
    said(talk, CLIENT, _command="Said", text="a")
    start = len(box(_command="Said", text="a"))
    broken = b"\0\x08_command\0\4Said\0\4text\0\1a\1\0" + bytes(100)
    lost = other(talk.feed(CLIENT, broken))
    assert lost.offset == start + broken.index(b"\1\0")
    assert lost.rule == "a key of 256 bytes, at most 255 are allowed"
    assert not talk.feed(CLIENT, box(_command="Said", text="a") * 100)
    unread = other(talk.end(CLIENT))
    assert (unread.why, unread.fault) == (Break.UNREAD, False)
    assert unread.size == 102 + 100 * start
    assert said(talk, SERVER, _answer="1").notes  # it may have been asked in there


def test_bytes_of_tls_are_told_from_starttls(loaded: Loaded) -> None:
    hello = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(60)
    surprised = Conversation(loaded)
    seen = other(surprised.feed(CLIENT, hello))
    assert (seen.why, seen.fault) == (Break.TLS, True)
    assert seen.rule.endswith("this is TLS")
    talk = Conversation(loaded)
    said(talk, CLIENT, _command="StartTLS", _ask="1")
    said(talk, SERVER, _answer="1")
    for side in Side:
        seen = other(talk.feed(side, hello))
        assert (seen.why, seen.fault, seen.rule) == (
            Break.TLS,
            False,
            "TLS from here on",
        )
        assert other(talk.end(side)).size == len(hello)


def test_a_box_in_the_clear_behind_starttls_is_a_fault(talk: Conversation) -> None:
    said(talk, CLIENT, _command="StartTLS", _ask="1")
    said(talk, SERVER, _answer="1")
    seen = said(talk, CLIENT, _command="Said", text="a")
    assert [one.rule for one in seen.blames] == ["in the clear, behind StartTLS"]


@pytest.mark.parametrize("finished", [True, False])
def test_half_a_box_at_the_end(talk: Conversation, finished: bool) -> None:
    half = box(_command="Said", text="abc")[:-5]
    assert not talk.feed(CLIENT, half)
    seen = other(talk.end(CLIENT, 3.0, finished=finished))
    assert (seen.why, seen.key, seen.at) == (Break.CUT, "text", 3.0)
    assert seen.size == len(half)
    assert seen.fault is finished


def test_what_began_in_the_middle_of_a_value_is_not_shown_as_a_key(
    loaded: Loaded,
) -> None:
    talk = Conversation(loaded, midway=True)
    assert not talk.feed(CLIENT, b"\0\7hunter2\1\0")
    assert other(talk.end(CLIENT)).key == ""


def test_a_beginning_in_the_middle_of_a_box_is_skipped(loaded: Loaded) -> None:
    talk = Conversation(loaded, midway=True)
    part = box(_command="Said", text="x" * 100)[40:]
    whole = part + box(_command="Said", text="a")
    skipped, seen = [one for byte in whole for one in talk.feed(CLIENT, bytes([byte]))]
    assert isinstance(skipped, SeenBytes)
    assert (skipped.why, skipped.size, skipped.fault) == (
        Break.SKIPPED,
        len(part),
        False,
    )
    assert isinstance(seen, SeenBox)
    assert seen.fields == {"text": "a"}
    assert seen.offset == len(part)


def test_zeros_in_the_middle_of_something_are_no_empty_boxes(loaded: Loaded) -> None:
    talk = Conversation(loaded, midway=True)
    skipped, _seen = talk.feed(CLIENT, bytes(40) + box(_command="Said", text="a"))
    assert (skipped.offset, skipped.size) == (0, 40)


def test_the_first_bytes_of_what_is_lost_are_kept_if_nothing_says_what_is_secret(
    talk: Conversation,
) -> None:
    data = b"POST /login hunter2"
    assert other(Conversation().feed(CLIENT, data)).start == data[:16]
    assert other(talk.feed(CLIENT, data)).start == b""


def test_a_gap_is_told_and_the_stream_goes_on_behind_it(talk: Conversation) -> None:
    whole = box(_command="Said", text="a")
    assert not talk.feed(CLIENT, whole[:10])
    gap = other(talk.gap(CLIENT, 500))
    assert (gap.why, gap.offset, gap.size) == (Break.GAP, 10, 500)
    assert gap.rule == (
        "500 bytes are missing, and 10 before them are of a box that is not whole"
    )
    skipped, seen = talk.feed(CLIENT, b"xyz\0\0" + whole)
    assert isinstance(skipped, SeenBytes)
    assert isinstance(seen, SeenBox)
    assert seen.offset == 515
    assert said(talk, SERVER, _answer="1").notes == ("what was asked is not here",)


def test_asks_that_are_never_answered_are_forgotten_in_the_end(
    talk: Conversation,
) -> None:
    for number in range(MAX_ASKS + 1):
        talk.feed(CLIENT, box(_command="Said", text="", _ask=str(number)))
    assert said(talk, SERVER, _answer="1").command == "Said"
    assert said(talk, SERVER, _answer="0").notes == ("what was asked is not here",)


def test_tags_of_any_length_cost_no_more_than_their_bound(talk: Conversation) -> None:
    tag = b""
    tracemalloc.start()
    try:
        for number in range(1000):
            tag = b"%05d" % number * 12_000
            said(talk, CLIENT, _command="Said", text="", _ask=tag)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 40e6
    assert said(talk, SERVER, _answer=tag).command == "Said"
    for _ in range(400):  # what is answered makes room
        said(talk, CLIENT, _command="Said", text="", _ask=tag)
        assert said(talk, SERVER, _answer=tag).command == "Said"
