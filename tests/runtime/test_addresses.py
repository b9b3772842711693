"""Addresses, as text and as sockets say them."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from ampgen.runtime.addresses import (
    Tcp,
    Unix,
    format_address,
    parse_address,
    parse_addresses,
)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("127.0.0.1:8000", Tcp("127.0.0.1", 8000)),
        ("example.org:0", Tcp("example.org", 0)),
        ("[::1]:65535", Tcp("::1", 65535)),
        ("unix:/run/text.sock", Unix("/run/text.sock")),
        ("unix:text.sock", Unix("text.sock")),
    ],
)
def test_an_address(text: str, address: object) -> None:
    assert parse_address(text) == address
    assert str(address) == text


def test_several_addresses() -> None:
    assert parse_addresses("a:1") == [Tcp("a", 1)]
    assert parse_addresses(["a:1", "unix:b"]) == [Tcp("a", 1), Unix("b")]
    with pytest.raises(ValueError, match="'b' is not an address: the port is missing"):
        parse_addresses(("a:1", "b"))
    with pytest.raises(ValueError, match="the list is empty"):
        parse_addresses([])
    nonsense: Any = 8000
    with pytest.raises(TypeError, match="several are a list of str, not a int"):
        parse_addresses(nonsense)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "the port is missing"),
        ("localhost", "the port is missing"),
        (":8000", "the host is missing"),
        ("[]:8000", "the host is missing"),
        ("::1:8000", "in brackets"),
        ("localhost:", "a number from 0 to 65535"),
        ("localhost:http", "a number from 0 to 65535"),
        ("localhost:65536", "a number from 0 to 65535"),
        ("localhost:-1", "a number from 0 to 65535"),
        ("localhost:\u0663", "a number from 0 to 65535"),
        ("localhost:000000000080", "a number from 0 to 65535"),
        ("unix:", "needs the path"),
        ("unix:a\0b", "needs the path"),
    ],
)
def test_what_is_no_address_says_what_one_looks_like(text: str, reason: str) -> None:
    with pytest.raises(ValueError, match=reason) as caught:
        parse_address(text)
    assert 'write "host:port"' in str(caught.value)


def test_an_address_is_text() -> None:
    address: Any = ("localhost", 8000)
    with pytest.raises(TypeError, match="not a tuple"):
        parse_address(address)


def test_a_system_without_unix_sockets_says_so(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delattr(socket, "AF_UNIX", raising=False)
    with pytest.raises(ValueError, match="no Unix sockets"):
        parse_address("unix:/run/text.sock")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (("127.0.0.1", 8000), "127.0.0.1:8000"),
        (("::1", 8000, 0, 0), "[::1]:8000"),
        ("/run/text.sock", "unix:/run/text.sock"),
        (b"\0abstract", "unix:\0abstract"),
        ("", ""),
        (None, ""),
    ],
)
def test_what_a_socket_says_of_itself_is_an_address(name: object, text: str) -> None:
    assert format_address(name) == text
