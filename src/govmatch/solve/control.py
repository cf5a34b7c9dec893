"""How a solve is stopped: a time limit, a cancel signal, Ctrl-C, a gap that suffices."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from contextvars import copy_context
from numbers import Real
from typing import Literal, Protocol, TypeVar, cast, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput

Reason = Literal["time_limit", "cancelled"]
Ended = Literal["optimal", "gap", "time_limit", "cancelled", "searched"]
T = TypeVar("T")

WAIT_SECONDS = 0.02
"""Between two looks at the clock and the cancel signal."""

LONGEST_LIMIT = 1e9
"""Seconds from which a time limit is none."""


@runtime_checkable
class Signal(Protocol):
    """What `cancel` must be, such as a `threading.Event`."""

    def is_set(self) -> bool:
        """Whether the work is to end."""
        ...


class Control:
    """When a solve must end, and the flag by which compiled loops learn of it.

    Parameters
    ----------
    time_limit : float, optional
        Seconds above 0, counted from here; None, or 1e9 and more: no limit.
    cancel : Signal, optional
        Any object with ``is_set()``, such as a `threading.Event`; set from elsewhere, it ends the work.
    gap : float, default 0.0
        A proved gap at which the solver may stop, 0 or more. The solver reads it; nothing here does.

    Attributes
    ----------
    deadline : float or None
        A value of ``time.monotonic()``.
    flag : uint8 (1,)
        Kernels poll it; not 0 means: end now and give back what there is.
    reason : {"time_limit", "cancelled"} or None
        Why the flag was set; None as long as it is not.

    Raises
    ------
    InvalidInput
        A wrong argument.
    """

    def __init__(
        self, time_limit: float | None = None, cancel: Signal | None = None, gap: float = 0.0
    ) -> None:
        if time_limit is not None and not (_is_real(time_limit) and time_limit > 0):
            raise InvalidInput(f"time_limit is {time_limit!r}; expected seconds above 0, or None")
        if cancel is not None and (isinstance(cancel, type) or not isinstance(cancel, Signal)):
            raise InvalidInput(
                f"cancel is {cancel!r}; expected an object with is_set(), such as a threading.Event, or None"
            )
        if not (_is_real(gap) and 0 <= gap < math.inf):
            raise InvalidInput(f"gap is {gap!r}; expected a finite number, 0 or more")
        limited = time_limit is not None and time_limit < LONGEST_LIMIT
        self.deadline = time.monotonic() + float(time_limit or 0) if limited else None
        self.gap = float(gap)
        self.flag: NDArray[np.uint8] = np.zeros(1, np.uint8)
        self.reason: Reason | None = None
        self._cancel = cancel

    @property
    def interruptible(self) -> bool:
        """Whether a deadline or a cancel signal may end the work."""
        return self.deadline is not None or self._cancel is not None

    def stop(self, reason: Reason) -> None:
        """Set the flag; the first reason stays."""
        if self.reason is None:
            self.reason = reason
        self.flag[0] = 1

    def poll(self) -> bool:
        """Look at the cancel signal and the clock; return whether the work is to end."""
        if self._cancel is not None and self._cancel.is_set():
            self.stop("cancelled")
        elif self.deadline is not None and time.monotonic() >= self.deadline:
            self.stop("time_limit")
        return bool(self.flag[0])

    def left(self, most: float) -> float:
        """Return the seconds that are left, at most so many."""
        return most if self.deadline is None else max(0.0, min(most, self.deadline - time.monotonic()))

    def part(self, share: float) -> Control:
        """Return a control that ends after a share of the time that is left, or when this one does."""
        limit = None if self.deadline is None else max(1e-9, share * self.left(math.inf))
        return Control(limit, _Asked(self), self.gap)

    def late(self, seconds: float) -> bool:
        """Whether the deadline is more than so many seconds ago."""
        return self.deadline is not None and time.monotonic() > self.deadline + seconds

    def near(self, cost: int, bound: int) -> bool:
        """Whether the gap that suffices, 0 if none was asked for, is proved: ``gap * max(1, |cost|)``."""
        return cost - bound <= self.gap * max(1, abs(cost))

    def ended(self, cost: int, bound: int) -> Ended:
        """Say why a search ended that has a cost and a bound."""
        self.poll()
        if cost == bound:
            return "optimal"
        if self.near(cost, bound):
            return "gap"
        return self.reason if self.reason is not None else "searched"

    def run(self, function: Callable[..., T], *args: object, small: bool = False) -> T:
        """Call a function that polls `flag`, so that the deadline, the signal and Ctrl-C end it.

        The function runs in a thread of its own while the caller waits in short waits: Python handles
        Ctrl-C in the main thread only, and only between two of its own instructions. It must release the
        GIL, as the kernels do. On Ctrl-C the flag is set, the function is awaited (a second Ctrl-C
        leaves it behind), and `KeyboardInterrupt` is raised here.

        Parameters
        ----------
        function : callable
        *args
            Its arguments. It is called even where the time is up already, with the flag set.
        small : bool, default False
            The work takes milliseconds: where neither deadline nor signal may end it, it is called
            directly, without a thread.

        Returns
        -------
        object
            What the function returns. What it raises is raised here.
        """
        self.poll()
        if small and not self.interruptible:
            return function(*args)
        done, outcome, context = threading.Event(), _Outcome(), copy_context()

        def work() -> None:
            try:
                outcome.value = context.run(function, *args)
            except BaseException as error:
                outcome.error = error
            finally:
                done.set()

        worker = threading.Thread(target=work, name="govmatch-solve", daemon=True)
        try:
            worker.start()
            while not done.wait(self._pause()):
                self.poll()
            worker.join()
        except BaseException:
            self.stop("cancelled")
            worker.join()
            raise
        if outcome.error is not None:
            raise outcome.error
        return cast(T, outcome.value)

    def _pause(self) -> float:
        if self.deadline is None or self.flag[0]:
            return WAIT_SECONDS
        return min(WAIT_SECONDS, max(0.0, self.deadline - time.monotonic()))


class _Asked:
    """A signal that is set when a control ends."""

    def __init__(self, control: Control) -> None:
        self._control = control

    def is_set(self) -> bool:
        """Whether the work is to end."""
        return self._control.poll()


class _Outcome:
    value: object = None
    error: BaseException | None = None


def _is_real(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    return bool(value == value)  # not a NaN
