"""docs/asyncapi.json says what really travels over the streams."""

import json
import struct
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, cast
from uuid import uuid4

import numpy as np
import orjson
import pytest
from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

from contract import frames
from contract.frames import Frame, FrameSeries
from hub.app import ENDPOINTS, LIVE_ENDPOINTS
from hub.asyncapi import render
from hub.live.messages import Gap, Happened, Pong
from hub.live.viewer import Piece, Viewer
from hub.write_docs import ASYNCAPI

DECLARED = (*ENDPOINTS, *LIVE_ENDPOINTS)


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    """The document, as published."""
    return json.loads(render(DECLARED))


def references(part: object) -> Iterator[str]:
    """Find every reference within a part of the document."""
    if isinstance(part, dict):
        for name, value in cast("dict[str, object]", part).items():
            if name == "$ref":
                yield str(value)
            else:
                yield from references(value)
    elif isinstance(part, list):
        for value in cast("list[object]", part):
            yield from references(value)


def resolve(document: dict[str, Any], reference: str) -> Any:
    """Follow a reference within the document."""
    found: Any = document
    for step in reference.removeprefix("#/").split("/"):
        found = found[step]
    return found


def validator(document: dict[str, Any], message: str) -> Validator:
    """Make what checks a message of the document."""
    payload = document["components"]["messages"][message]["payload"]
    return Draft202012Validator({"components": document["components"], **payload})


def test_document_is_current() -> None:
    assert ASYNCAPI.read_bytes() == render(DECLARED), "run `python -m hub.write_docs`"


def test_references_lead_somewhere(document: dict[str, Any]) -> None:
    found = list(references(document))
    assert len(found) > 50
    for reference in found:
        assert resolve(document, reference), reference


def test_schemas_are_schemas(document: dict[str, Any]) -> None:
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_each_channel_is_used_and_explained(document: dict[str, Any]) -> None:
    used = {operation["channel"]["$ref"].rpartition("/")[2] for operation in document["operations"].values()}
    assert used == document["channels"].keys()
    addresses = {channel["address"] for channel in document["channels"].values()}
    assert addresses >= {"/api/v1/live", "/api/v1/live/events", "/api/v1/telemetry", "etp/v1/telemetry/{sensor_id}"}
    for message in document["components"]["messages"].values():
        payload = message["payload"]
        if "$ref" in payload and message["contentType"] == "application/json":
            assert resolve(document, payload["$ref"])["description"], message["name"]


def test_what_the_hub_says_is_as_described(document: dict[str, Any]) -> None:
    said = {
        "Pong": Pong(now=1.0, cursor=None),
        "Gap": Gap(since="1-0", whole_from=None),
        "Happened": Happened(kind="capture", project_id=uuid4(), subject_id=None, at=1.0, details={}),  # pyright: ignore[reportArgumentType] - read from its value
    }
    for name, message in said.items():
        validator(document, name).validate(json.loads(message.model_dump_json()))
    viewer = Viewer()
    viewer.sensors = {1: (uuid4(), True)}
    one, none = np.ones(1), np.full(1, np.nan)
    viewer.offer(1, Piece(np.ones(1, np.int64), one, none, np.ones(1, np.uint8), 2.5))
    frame = orjson.loads(viewer.take("1-0") or b"")
    validator(document, "Samples").validate(frame)
    assert not validator(document, "Samples").is_valid(frame | {"merged": "many"})


def test_frames_are_laid_out_as_described(document: dict[str, Any]) -> None:
    layout = document["components"]["messages"]["BinaryFrame"]["x-layout"]
    sensor_id = uuid4()
    series = FrameSeries(sensor_id, np.array([1.5]), None, np.array([2.5]), np.array([3], np.uint8), 7.0, False, 9)
    data = frames.encode(Frame("12-3", 5, [series]))
    head = struct.Struct("<" + "".join(field["format"] for field in layout["head"]))
    values = dict(zip([field["name"] for field in layout["head"]], head.unpack_from(data), strict=True))
    assert (values["series"], values["cursor_bytes"], values["merged"]) == (1, 4, 5)
    at = head.size + 8
    inner = struct.Struct("<" + "".join(field["format"] for field in layout["series"]))
    values = dict(zip([field["name"] for field in layout["series"]], inner.unpack_from(data, at), strict=True))
    assert (values["sensor_id"], values["n"], values["flags"], values["total"]) == (sensor_id.bytes, 1, 6, 9)
    assert struct.unpack_from("<ddB", data, at + inner.size) == (1.5, 2.5, 3)
    told = frames.encode(Frame("12-3", 5, [replace(series, gaps=np.array([[1.0, 1.5]]))]))
    gap = struct.Struct("<" + "".join(field["format"] for field in layout["gaps"]))
    assert (len(told) - len(data), gap.unpack_from(told, len(data))) == (gap.size, (1.0, 1.5))
    values = dict(zip([field["name"] for field in layout["series"]], inner.unpack_from(told, at), strict=True))
    assert (values["flags"], values["gaps"]) == (14, 1)
