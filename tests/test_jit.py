import numba
import numpy as np
import pytest

from govmatch._kernels import jit as jit_module
from govmatch._kernels.jit import jit

pytestmark = pytest.mark.kernels


def total(values):
    answer = 0.0
    for value in values:
        answer += value
    return answer


def test_a_kernel_gives_what_its_python_gives():
    assert jit(total)(np.arange(4.0)) == 6.0


def test_a_cache_that_cannot_be_kept_is_done_without(monkeypatch):
    asked = []

    def njit(**options):
        asked.append(options)
        if options.get("cache"):
            raise RuntimeError("cannot cache function 'total': no locator available for file 'x.py'")
        return lambda kernel: kernel

    monkeypatch.setattr(jit_module.numba, "njit", njit)
    assert jit(total) is total
    assert asked == [{"cache": True, "nogil": True}, {"nogil": True}]


def test_any_other_failure_to_compile_is_raised(monkeypatch):
    def njit(**options):
        raise RuntimeError("no compiler")

    monkeypatch.setattr(jit_module.numba, "njit", njit)
    with pytest.raises(RuntimeError, match="no compiler"):
        jit(total)


@pytest.mark.skipif(numba.config.DISABLE_JIT, reason="compiled code only")
def test_a_read_only_home_compiles_without_a_cache(monkeypatch):
    from numba.core import caching

    for name in dir(caching):
        locator = getattr(caching, name)
        if isinstance(locator, type) and hasattr(locator, "from_function"):
            monkeypatch.setattr(locator, "from_function", classmethod(lambda *_: None))
    with pytest.raises(RuntimeError, match="cannot cache function"):
        numba.njit(cache=True)(total)
    assert jit(total)(np.arange(4.0)) == 6.0
