"""What is imported: the standard library alone, until somebody asks for more."""

from __future__ import annotations

import subprocess
import sys


def test_packages_of_others_are_loaded_by_their_own_modules_alone() -> None:
    code = (
        "import sys, ampgen.runtime.interceptors\n"
        "print({'opentelemetry', 'prometheus_client'} & set(sys.modules))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True
    )
    assert done.stdout == "set()\n"
