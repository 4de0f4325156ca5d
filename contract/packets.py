"""Telemetry packets as bodies: JSON, msgpack, and lines of JSON, decoded into arrays."""

import json
from typing import Any, Final, NoReturn

import msgspec
import numpy as np

from contract import packet_documents
from contract.packet_shapes import Blocks, Columns, Rows, usual
from contract.samples import F64, I64, NO_TIME, Packet, PacketBroken, PacketInvalid, Reject, Series

# Whoever decodes packets needs what they are made of.
__all__ = [
    "F64",
    "I64",
    "NO_TIME",
    "Packet",
    "PacketBroken",
    "PacketInvalid",
    "Reject",
    "Series",
    "decode",
    "decode_packed",
]

_JSON_ROWS: Final = msgspec.json.Decoder(Rows)
_JSON_COLUMNS: Final = msgspec.json.Decoder(Columns)
_PACKED: Final = tuple(msgspec.msgpack.Decoder(shape) for shape in (Columns, Blocks, Rows))


def decode(body: bytes) -> Packet:
    """Decode a JSON body in row or column form (contract, "Telemetry in").

    The usual packet takes a fast typed path; one with any fault is read again sample by sample, so that a bad sample is
    named and never costs the others. Raises PacketBroken and PacketInvalid.
    """
    columns_first = b'"series"' in body[:400]
    for decoder in (_JSON_COLUMNS, _JSON_ROWS) if columns_first else (_JSON_ROWS, _JSON_COLUMNS):
        try:
            packet = usual(decoder.decode(body))
        except msgspec.ValidationError:
            continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PacketBroken(str(error)) from error
        if packet is not None:
            return packet
    try:
        document = json.loads(body, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise PacketBroken(str(error)) from error
    return packet_documents.read(document)


def decode_packed(body: bytes) -> Packet:
    """Decode a msgpack body of the same shape as JSON; raises PacketBroken and PacketInvalid.

    Columns may also be bytes, little-endian: t as int64 µs since 1970, v and p as float64.
    """
    for decoder in _PACKED:
        try:
            packet = usual(decoder.decode(body))
        except msgspec.ValidationError:
            continue
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise PacketBroken(str(error)) from error
        # Unlike JSON, msgpack can say NaN.
        if packet is not None and all(np.isfinite(series.raw).all() for series in packet.series):
            return packet
    try:
        document: Any = msgspec.msgpack.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, TypeError, ValueError) as error:
        raise PacketBroken(str(error)) from error
    return packet_documents.read(document)


def _no_constant(name: str) -> NoReturn:
    raise PacketBroken(f"{name} is no JSON value; leave the sample out or send null")
