"""Calls from threads: no event loop, no `await`."""

import sys
from concurrent.futures import ThreadPoolExecutor

from textpkg.repeat import RepeaterBlockingClient, RepeaterClient, TooLong


def lengths(repeater: RepeaterBlockingClient, words: list[str]) -> list[int]:
    with ThreadPoolExecutor() as pool:
        calls = [pool.submit(repeater.repeat, word, times=2) for word in words]
        return [len(call.result().text) for call in calls]


def main(address: str) -> None:
    with RepeaterClient.connect_blocking(address, timeout=5.0) as repeater:
        print(repeater.repeat("abc", times=3).text)
        try:
            repeater.repeat("abc", times=1000)
        except TooLong as error:
            print(f"TooLong: {error}")
        print(lengths(repeater, ["a", "bc", "def"]))


if __name__ == "__main__":
    main(sys.argv[1])
