"""A matcher as bytes: a line that says what this is, a digest, a JSON header and plain arrays."""

from __future__ import annotations

import hashlib
import io
import json
from typing import Any

import numpy as np
from numpy.typing import NDArray

from govmatch.errors import InvalidInput
from govmatch.solve.live_request import LiveRequest, Part

MAGIC = b"govmatch matcher 1\n"
DIGEST = 32


def pack(state: dict[str, Any], arrays: dict[str, NDArray[Any]]) -> bytes:
    """Write a state of plain values and its arrays; the same give the same bytes."""
    header = json.dumps({"state": state, "arrays": sorted(arrays)}, separators=(",", ":")).encode()
    out = io.BytesIO()
    out.write(len(header).to_bytes(8, "little"))
    out.write(header)
    for name in sorted(arrays):
        np.lib.format.write_array(out, arrays[name], allow_pickle=False)
    body = out.getvalue()
    return MAGIC + hashlib.sha256(body).digest() + body


def unpack(data: bytes) -> tuple[dict[str, Any], dict[str, NDArray[Any]]]:
    """Read what `pack` wrote.

    Raises
    ------
    InvalidInput
        Something else, another version, or bytes that were changed or cut.
    """
    if not isinstance(data, bytes | bytearray | memoryview):
        raise InvalidInput(f"data is a {type(data).__name__}; expected the bytes of a snapshot")
    data = bytes(data)
    if not data.startswith(MAGIC):
        raise InvalidInput(
            f"data begins with {data[: len(MAGIC)]!r}; expected {MAGIC!r}, the snapshot of a matcher"
        )
    begin = len(MAGIC) + DIGEST
    body = data[begin:]
    if hashlib.sha256(body).digest() != data[len(MAGIC) : begin]:
        raise InvalidInput(
            "data is no whole snapshot: its digest differs, so bytes were changed or are missing"
        )
    stream = io.BytesIO(body)
    header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    arrays = {name: np.lib.format.read_array(stream, allow_pickle=False) for name in header["arrays"]}
    return header["state"], arrays


def request_to_json(request: LiveRequest) -> list[Any]:
    """Return a request as plain values."""
    parts = [
        [p.arcs.tolist(), p.sizes.tolist(), p.demand, p.pinned, p.is_hub, p.row, p.arc, p.hub]
        for p in request.parts
    ]
    arcs = [request.node.tolist(), request.cost.tolist(), request.group.tolist()]
    return [request.demand, request.unmet_cost, arcs, list(request.pins), parts]


def request_from_json(told: list[Any]) -> LiveRequest:
    """Make what `request_to_json` told."""
    demand, unmet_cost, arcs, pins, parts = told
    node, cost, group = (np.array(values, np.int64) for values in arcs)
    laid = [Part(np.array(p[0], np.int64), np.array(p[1], np.int64), *p[2:]) for p in parts]
    return LiveRequest(demand, unmet_cost, node, cost, group, tuple(pins), laid)
