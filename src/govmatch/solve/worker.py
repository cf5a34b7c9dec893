"""A process that solves one network: arrays on standard input, the flow on standard output."""

from __future__ import annotations

import io
import sys

import numpy as np

from govmatch.solve.network import Network, flow_of


def main() -> None:
    """Read a network as .npz, write its optimal flow as .npy."""
    with np.load(io.BytesIO(sys.stdin.buffer.read())) as arrays:
        network = Network(
            **{name: arrays[name] for name in arrays.files}, n_requests=0, n_arcs=0, n_entries=0
        )
    answer = io.BytesIO()
    np.save(answer, flow_of(network))
    sys.stdout.buffer.write(answer.getvalue())


if __name__ == "__main__":
    main()
