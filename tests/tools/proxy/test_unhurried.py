"""Lines for a slow output: nobody waits, and what is left out is told."""

from __future__ import annotations

import errno
import threading

from ampgen.tools.proxy.unhurried import UnhurriedOutput

PATIENCE = 10.0


class Slow:
    """An output that takes one write after the other, when it is told to."""

    def __init__(self) -> None:
        self.written: list[str] = []
        self.begun = threading.Semaphore(0)
        self.go_on = threading.Semaphore(0)

    def write(self, text: str) -> None:
        self.begun.release()
        assert self.go_on.acquire(timeout=PATIENCE)
        self.written.append(text)


def output_to(slow: Slow, most: int) -> UnhurriedOutput:
    def broken(error: OSError) -> None:
        raise AssertionError(error)

    return UnhurriedOutput(slow.write, lambda count: f"-{count}-", broken, most)


def test_all_is_written_in_order() -> None:
    slow = Slow()
    output = output_to(slow, 1000)
    for _ in range(200):
        slow.go_on.release()
    for number in range(100):
        output.put(f"{number} ")
    assert output.close(PATIENCE)
    assert "".join(slow.written) == "".join(f"{number} " for number in range(100))


def test_what_is_too_much_is_left_out_and_told() -> None:
    slow = Slow()
    output = output_to(slow, 10)
    output.put("aaaa")
    assert slow.begun.acquire(timeout=PATIENCE)  # it is being written, and counts
    for letter in "bcde":
        output.put(4 * letter)
    slow.go_on.release()
    assert slow.begun.acquire(timeout=PATIENCE)  # of what waited
    assert slow.written == ["aaaa"]
    output.put("ffff")
    slow.go_on.release()
    slow.go_on.release()
    assert output.close(PATIENCE)
    assert slow.written == ["aaaa", "bbbb", "-3-ffff"]


def test_what_was_left_out_at_last_is_told_in_the_end() -> None:
    slow = Slow()
    output = output_to(slow, 4)
    output.put("aaaa")
    output.put("b")
    slow.go_on.release()
    slow.go_on.release()
    assert output.close(PATIENCE)
    assert slow.written in (["aaaa", "-1-"], ["aaaa-1-"])


def test_an_output_that_never_takes_anything_does_not_hold_up_the_end() -> None:
    slow = Slow()
    output = output_to(slow, 100)
    output.put("a")
    assert slow.begun.acquire(timeout=PATIENCE)
    assert not output.close(0.01)
    slow.go_on.release()
    assert output.close(PATIENCE)


def test_an_output_that_breaks_is_told_once() -> None:
    told: list[OSError] = []
    broke = threading.Event()

    def write(_text: str) -> None:
        raise BrokenPipeError(errno.EPIPE, "gone")

    def broken(error: OSError) -> None:
        told.append(error)
        broke.set()

    output = UnhurriedOutput(write, str, broken)
    output.put("a")
    assert broke.wait(PATIENCE)
    output.put("b")
    assert output.close(PATIENCE)
    assert len(told) == 1


def test_one_line_is_written_however_long_it_is() -> None:
    slow = Slow()
    output = output_to(slow, 10)
    slow.go_on.release()
    output.put("a" * 100)
    assert output.close(PATIENCE)
    assert slow.written == ["a" * 100]
