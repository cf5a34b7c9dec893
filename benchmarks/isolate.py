"""Run one piece of a benchmark in a process of its own, and end it when its time is up."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from typing import Any

Measured = dict[str, Any]


class ProcessKilled(RuntimeError):
    """A signal ended the process: often the system's, for want of memory."""


def in_own_process(
    arguments: list[str], cap_seconds: float, module: str = "benchmarks.work"
) -> Measured | None:
    """Run ``python -m module`` and return what it measured; None where the cap came first.

    Raises
    ------
    ProcessKilled
        If a signal ended it.
    RuntimeError
        With the process's last words, if it failed.
    """
    command = [sys.executable, "-m", module, *arguments]
    # a session of its own, so that a solver that the process started ends with it
    process = subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=hasattr(os, "killpg"),
    )
    try:
        out, err = process.communicate(timeout=cap_seconds)
    except subprocess.TimeoutExpired:
        _end(process)
        return None
    except BaseException:
        _end(process)
        raise
    if process.returncode < 0:
        raise ProcessKilled(f"{' '.join(arguments)} was ended by signal {-process.returncode}")
    if process.returncode:
        raise RuntimeError(f"{' '.join(arguments)} failed:\n{err[-2000:]}")
    measured: Measured = json.loads(out.splitlines()[-1])
    return measured


def _end(process: subprocess.Popen[str]) -> None:
    if hasattr(os, "killpg"):
        os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.communicate()
