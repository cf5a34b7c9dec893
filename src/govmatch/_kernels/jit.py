"""One way to compile a kernel: numba's `njit`, without the GIL, cached where a cache can be kept."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Kernel = TypeVar("Kernel", bound=Callable[..., Any])


def jit(kernel: Kernel) -> Kernel:
    """Compile `kernel` at its first call for the types it is given.

    The machine code is kept beside the module (or in ``NUMBA_CACHE_DIR``). Where neither that nor
    the user's cache folder can be written, the kernel is compiled anew in every process instead of
    failing. With ``NUMBA_DISABLE_JIT=1`` the kernel stays plain Python.

    Parameters
    ----------
    kernel : callable
        A function of arrays and numbers, in the part of Python that numba compiles.

    Returns
    -------
    callable
        The kernel with the same signature; it releases the GIL while it runs.
    """
    try:
        compiled = numba.njit(cache=True, nogil=True)(kernel)
    except RuntimeError as error:
        if "cannot cache function" not in str(error):
            raise
        compiled = numba.njit(nogil=True)(kernel)
    return cast(Kernel, compiled)


def helper(function: Kernel) -> Kernel:
    """Compile what only kernels call, into them, and keep it nowhere else.

    A kernel that finds a function already compiled on disk can only call it, and not take it in: of small
    functions with many arrays that is twice as slow (measured with numba 0.68).
    """
    return cast(Kernel, numba.njit(nogil=True)(function))
