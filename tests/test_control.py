"""Stopping a solve: the deadline, the signal, Ctrl-C, and what passes through the thread."""

from __future__ import annotations

import _thread
import math
import threading
import time

import numpy as np
import pytest

from govmatch.errors import InvalidInput
from govmatch.solve.control import Control


def poll(control: Control, ended: list[str]) -> int:
    """Stand for a kernel: work until the flag is set, five seconds at most."""
    begin = time.monotonic()
    while not control.flag[0] and time.monotonic() < begin + 5:
        time.sleep(0.001)
    ended.append(threading.current_thread().name)
    return 7


@pytest.mark.parametrize("wrong", [0, -1.5, math.nan, True, "10", -math.inf])
def test_a_time_limit_is_seconds_above_0(wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"time_limit is .*; expected seconds above 0, or None"):
        Control(time_limit=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [-0.1, math.inf, math.nan, False, None, "0"])
def test_a_gap_is_finite_and_not_negative(wrong: object) -> None:
    with pytest.raises(InvalidInput, match=r"gap is .*; expected a finite number, 0 or more"):
        Control(gap=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("wrong", [True, 1, threading.Event, lambda: False])
def test_a_cancel_signal_has_is_set(wrong: object) -> None:
    with pytest.raises(
        InvalidInput, match=r"cancel is .*; expected an object with is_set\(\), such as a thr"
    ):
        Control(cancel=wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize("seconds", [None, math.inf, 1e9, 10**400])
def test_no_limit_has_no_deadline(seconds: float | None) -> None:
    control = Control(seconds)
    assert control.deadline is None
    assert not control.interruptible
    assert not control.poll()


def test_numbers_of_numpy_are_numbers() -> None:
    control = Control(np.float32(0.5), gap=np.int64(0))  # type: ignore[arg-type]
    assert control.deadline == pytest.approx(time.monotonic() + 0.5, abs=0.2)
    assert control.gap == 0.0


def test_small_work_that_nothing_may_end_runs_where_it_is_called() -> None:
    here = threading.current_thread().name
    assert Control().run(lambda: threading.current_thread().name, small=True) == here
    assert Control().run(lambda: threading.current_thread().name) == "govmatch-solve"
    assert Control(60).run(lambda: threading.current_thread().name, small=True) == "govmatch-solve"
    signalled = Control(cancel=threading.Event())
    assert signalled.run(lambda: threading.current_thread().name, small=True) == "govmatch-solve"


def test_the_deadline_sets_the_flag() -> None:
    control, ended = Control(0.05), []
    begin = time.monotonic()
    assert control.run(poll, control, ended) == 7
    assert 0.04 < time.monotonic() - begin < 1.0
    assert control.reason == "time_limit"
    assert control.flag.tolist() == [1]
    assert ended == ["govmatch-solve"]


def test_work_that_ends_in_time_is_not_stopped() -> None:
    control = Control(60, threading.Event())
    assert control.run(math.sqrt, 4.0) == 2.0
    assert control.reason is None
    assert control.flag.dtype == np.uint8
    assert control.flag.tolist() == [0]


def test_a_signal_from_elsewhere_sets_the_flag() -> None:
    cancel = threading.Event()
    control, ended = Control(60, cancel), []
    threading.Timer(0.05, cancel.set).start()
    begin = time.monotonic()
    assert control.run(poll, control, ended) == 7
    assert time.monotonic() - begin < 1.0
    assert control.reason == "cancelled"


def test_any_object_with_is_set_will_do() -> None:
    class Third:
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            return self.looks >= 3

    control, ended = Control(cancel=Third()), []
    assert control.run(poll, control, ended) == 7
    assert control.reason == "cancelled"


def test_work_begun_too_late_sees_the_flag_at_once() -> None:
    cancel = threading.Event()
    cancel.set()
    control = Control(1e-9, cancel)
    assert control.run(lambda: control.flag[0]) == 1
    assert control.reason == "cancelled"
    control.stop("time_limit")
    assert control.reason == "cancelled", "the first reason stays"


@pytest.mark.parametrize("small", [False, True])
def test_what_the_function_raises_is_raised_here(small: bool) -> None:
    def fail(word: str) -> None:
        raise KeyError(word)

    with pytest.raises(KeyError, match="lost") as caught:
        Control().run(fail, "lost", small=small)
    assert caught.traceback[-1].name == "fail"


def test_a_signal_that_fails_ends_the_work_and_is_raised() -> None:
    class Broken:
        looks = 0

        def is_set(self) -> bool:
            self.looks += 1
            if self.looks > 1:
                raise OSError("the line is dead")
            return False

    control, ended = Control(cancel=Broken()), []
    with pytest.raises(OSError, match="the line is dead"):
        control.run(poll, control, ended)
    assert ended == ["govmatch-solve"], "the function has ended before the error is raised"


def test_ctrl_c_ends_the_work_and_is_raised() -> None:
    if threading.current_thread() is not threading.main_thread():
        pytest.skip("Python hands Ctrl-C to the main thread only")
    control, ended = Control(), []
    threading.Timer(0.05, _thread.interrupt_main).start()
    begin = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        control.run(poll, control, ended)
    assert time.monotonic() - begin < 1.0
    assert ended == ["govmatch-solve"]
    assert control.flag.tolist() == [1]


def test_the_caller_s_settings_hold_in_the_thread() -> None:
    with np.errstate(divide="raise"), pytest.raises(FloatingPointError):
        Control().run(lambda: np.float64(1) / np.float64(0))


def test_how_a_search_ended_is_said_in_one_place() -> None:
    control = Control(gap=0.1)
    assert control.ended(7, 7) == "optimal"
    assert control.ended(100, 90) == "gap"
    assert control.ended(-100, -110) == "gap"
    assert control.ended(100, 89) == "searched"
    control.stop("cancelled")
    assert control.ended(100, 89) == "cancelled"
    assert control.ended(7, 7) == "optimal"


def test_a_part_of_a_control_ends_before_it_and_with_it():
    whole = Control(100.0)
    part = whole.part(0.25)
    assert 20 < part.left(1000.0) <= 25
    assert not part.poll()
    whole.stop("cancelled")
    assert part.poll()
    assert part.reason == "cancelled"
    unlimited = Control().part(0.5)
    assert unlimited.deadline is None
    short = Control(1e-3).part(0.5)
    assert short.run(lambda: short.flag[0]) in (0, 1)  # it is called even where the time is up
