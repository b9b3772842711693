"""Dumps as the usual tools print them, and as people paste them."""

from __future__ import annotations

import random
import shutil
import subprocess

import pytest

from ampgen.tools.seeing.hexdump import HexError, Written, is_hex, read_hex, text_of
from ampgen.tools.seeing.seen import Side

BOX = b"\0\4_ask\0\x011\0\x08_command\0\5Upper\0\4text\0\3abc\0\0"

FORMS = {
    "plain": BOX.hex(),
    "spaced": BOX.hex(" "),
    "in lines": f"{BOX[:7].hex(' ')}\n\n{BOX[7:].hex(' ', 2)}\n",
    "0x": ", ".join(f"0x{one:02x}" for one in BOX),
    "0x, the shortest": " ".join(f"0x{one:X}" for one in BOX),
    "escapes": "".join(f"\\x{one:02x}" for one in BOX),
    "colons": BOX.hex(":"),
    "Python": repr(BOX),
    "Python, in pieces": f"{BOX[:9]!r}\n{BOX[9:20]!r} {BOX[20:]!r}",
    "with a remark": f"# from the log\n{BOX.hex()}",
    "xxd": """\
00000000: 0004 5f61 736b 0001 3100 085f 636f 6d6d  .._ask..1.._comm
00000010: 616e 6400 0555 7070 6572 0004 7465 7874  and..Upper..text
00000020: 0003 6162 6300 00                        ..abc..
""",
    "hexdump -C": """\
00000000  00 04 5f 61 73 6b 00 01  31 00 08 5f 63 6f 6d 6d  |.._ask..1.._comm|
00000010  61 6e 64 00 05 55 70 70  65 72 00 04 74 65 78 74  |and..Upper..text|
00000020  00 03 61 62 63 00 00                              |..abc..|
00000027
""",
    "Wireshark": """\
0000   00 04 5f 61 73 6b 00 01 31 00 08 5f 63 6f 6d 6d   .._ask..1.._comm
0010   61 6e 64 00 05 55 70 70 65 72 00 04 74 65 78 74   and..Upper..text
0020   00 03 61 62 63 00 00                              ..abc..
""",
    "tcpdump -X": """\
\t0x0000:  0004 5f61 736b 0001 3100 085f 636f 6d6d  .._ask..1.._comm
\t0x0010:  616e 6400 0555 7070 6572 0004 7465 7874  and..Upper..text
\t0x0020:  0003 6162 6300 00                        ..abc..
""",
    "od": """\
000000 00 04 5f 61 73 6b 00 01 31 00 08 5f 63 6f 6d 6d
000010 61 6e 64 00 05 55 70 70 65 72 00 04 74 65 78 74
000020 00 03 61 62 63 00 00
000027
""",
}


@pytest.mark.parametrize("form", FORMS)
def test_every_usual_form_is_read(form: str) -> None:
    assert is_hex(FORMS[form].encode())
    assert read_hex(FORMS[form]) == [Written(None, BOX)]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    ("prefix", "side"),
    [(">", Side.CLIENT), ("< ", Side.SERVER), ("Server: ", Side.SERVER)],
)
def test_every_form_may_have_a_side_in_front(
    form: str, prefix: str, side: Side
) -> None:
    text = "".join(f"{prefix}{line}\n" for line in FORMS[form].splitlines())
    assert [one for one in read_hex(text) if one.data] == [Written(side, BOX)]


def test_a_side_holds_until_the_next_one() -> None:
    text = "> 00 01\n02\n<03\n\n> b'x'\n"
    assert read_hex(text) == [
        Written(Side.CLIENT, b"\0\1\2"),
        Written(Side.SERVER, b"\3"),
        Written(Side.CLIENT, b"x"),
    ]


def test_the_indented_lines_of_a_stream_of_wireshark_are_the_server_s() -> None:
    text = """\
00000000  00 01 02 03 04 05 06 07  08 09 0a 0b 0c 0d 0e 0f   ........ ........
00000010  10 11                                              ..
    00000000  20 21 22                                            !"
00000012  12                                                 .
"""
    assert read_hex(text) == [
        Written(Side.CLIENT, bytes(range(18))),
        Written(Side.SERVER, b' !"'),
        Written(Side.CLIENT, b"\x12"),
    ]


def test_an_odd_escape_is_read_as_python_does() -> None:
    assert read_hex(r"b'\d\\'") == [Written(None, rb"\d" + b"\\")]


def test_a_dump_may_begin_again_at_nothing() -> None:
    assert read_hex("00000000: 0001  ..\n00000000: 0002  ..\n") == [
        Written(None, b"\0\1\0\2")
    ]


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("00 0", (1, 4)),
        ("00 01\n  0g", (2, 3)),
        ("zz", (1, 1)),
        ("> 00\n< xx", (2, 3)),
        ("b'abc' + x", (1, 10)),
        (r"b'\xg'", (1, 1)),
        ("00000000: 0001 02  ...\n00000010: 0304  ..", (2, 1)),
        ("00000000: 000 1", (1, 11)),
        ("00000000: 00\n*\nffffffff: 00", (3, 1)),
        ("00000000: 00\n*\n03000000: 00\n*\n06000000: 00", (5, 1)),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(
    text: str, place: tuple[int, int]
) -> None:
    with pytest.raises(HexError) as raised:
        read_hex(text)
    assert (raised.value.line, raised.value.column) == place


@pytest.mark.parametrize(
    "start", [b"", BOX, b"GET / HTTP/1.1\r\n", b'{"a": 1}', b"\x16\x03\x01", b"Deep"]
)
def test_other_things_are_no_hex(start: bytes) -> None:
    assert not is_hex(start)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-8"])
def test_a_mark_of_the_encoding_is_no_part_of_the_dump(encoding: str) -> None:
    data = f"# seen\n> {BOX.hex(' ')}\n".encode(encoding)
    assert is_hex(data)
    assert read_hex(text_of(data)) == [Written(Side.CLIENT, BOX)]


@pytest.mark.parametrize("start", ["# a\n\n#b\n", "# " * 2000, "client:\n", "\n"])
def test_remarks_may_be_all_that_is_there_yet(start: str) -> None:
    assert is_hex(start.encode())
    assert not is_hex(f"{start}\nnone".encode())


@pytest.mark.parametrize(
    ("line", "data"),
    [
        ("b'' " * 100_000, b""),
        ("00000000  00 04 " + " >x" * 100_000, b"\0\4"),
        ("0004" * 100_000, b"\0\4" * 100_000),
    ],
    ids=["literals", "marks", "digits"],
)
@pytest.mark.timeout(20)
def test_a_line_of_any_length_is_read_once(line: str, data: bytes) -> None:
    assert b"".join(one.data for one in read_hex(line)) == data


@pytest.mark.parametrize(
    "command",
    [
        "xxd",
        "xxd -c 8",
        "xxd -u -g 1",
        "xxd -p",
        "hexdump -C",
        "od -A x -t x1",
        "od -A x -t x1z",
    ],
)
def test_what_tools_print_of_any_bytes_is_read(command: str) -> None:
    tool, *options = command.split()
    if shutil.which(tool) is None:
        pytest.skip(f"there is no {tool}")
    source = random.Random(command)
    letters = b"0123 ab|<>:\0\xff"
    for length in range(1, 70):
        data = bytes(source.choice(letters) for _ in range(length))
        data += bytes(40) * (length % 3)  # lines that are left out
        done = subprocess.run(
            [tool, *options], input=data, stdout=subprocess.PIPE, check=True
        )
        assert read_hex(done.stdout.decode()) == [Written(None, data)]
