"""Make the vectors: what Twisted's own classes write and read, as JSON beside this.

Run by hand, ``python tests/vectors/make.py [FOLDER]``, when a case is added or a new
Twisted comes out. The same Twisted always makes the same files; nothing of ours is
imported here.

* ``values.json``: bytes that Twisted wrote. We write and read the same.
* ``read.json``: bytes that Twisted reads although it would write others. So do we.
* ``refused_values.json``: values that we do not encode, and what Twisted makes of them.
* ``refused_bytes.json``: bytes that we do not decode, and what Twisted makes of them.
* ``talks.json``: conversations between two of Twisted's ``AMP`` protocols, box by box.

A case of the first four names a command of ``vectors.amp``, whose argument and result
``value`` it is about. Values are written as `note` has it, bytes as `pack` has it.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import twisted
from twisted.logger import globalLogBeginner

sys.path.insert(0, str(Path(__file__).parents[2]))  # run as a script, it is not there

from tests.vectors.twisted_refusals import refused_bytes, refused_values
from tests.vectors.twisted_talks import talks
from tests.vectors.twisted_values import readable, values

FILES = {
    "values.json": values,
    "read.json": readable,
    "refused_values.json": refused_values,
    "refused_bytes.json": refused_bytes,
    "talks.json": talks,
}


def laid_out(cases: list[dict[str, Any]]) -> str:
    """One case, or one step of a conversation, a line."""
    lines: list[str] = []
    for case in cases:
        steps = case.pop("steps", None)
        line = json.dumps(case, ensure_ascii=True)
        if steps is not None:
            inner = ",\n".join("  " + json.dumps(step) for step in steps)
            line = f'{line[:-1]}, "steps": [\n{inner}\n]}}'
        lines.append(line)
    made_by = json.dumps(f"Twisted {twisted.__version__}")
    return f'{{"made_by": {made_by}, "cases": [\n' + ",\n".join(lines) + "\n]}\n"


def main(folder: Path) -> None:
    globalLogBeginner.beginLoggingTo([], redirectStandardIO=False, discardBuffer=True)
    for name, make in FILES.items():
        (folder / name).write_text(laid_out(make()), encoding="ascii", newline="\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if sys.argv[1:] else Path(__file__).parent)
