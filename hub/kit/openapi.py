"""OpenAPI 3.1, generated from the declared routes."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any
from uuid import UUID

from pydantic import BaseModel, TypeAdapter

from hub.kit.endpoint import COMMON_PROBLEMS, Endpoint
from hub.kit.problems import (
    BodyBroken,
    BodyTooLarge,
    BodyTooSlow,
    BrokenJson,
    IdempotencyConflict,
    InternalFault,
    Problem,
    ProblemDocument,
    TooManyRequests,
    WrongContentType,
)
from hub.kit.refusals import Refusals

REF = "#/components/schemas/{model}"
SCHEMES = {
    "user": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "An access token of a user."},
    "device": {"type": "http", "scheme": "bearer", "description": "The token of a sensor or an edge agent."},
}

IDEMPOTENCY_KEY = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "Repeated with the same key, the request creates nothing new and gets the first answer again.",
    "schema": {"type": "string", "maxLength": 200},
}


def document(endpoints: Sequence[Endpoint], *, title: str, version: str) -> dict[str, Any]:
    """Build the OpenAPI document of the given routes."""
    schemas: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = defaultdict(dict)
    for endpoint in endpoints:
        paths[endpoint.path][endpoint.method.lower()] = _operation(endpoint, schemas)
    schema_of(ProblemDocument, "serialization", schemas)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"}},
        "paths": dict(sorted(paths.items())),
        "components": {"schemas": dict(sorted(schemas.items())), "securitySchemes": SCHEMES},
    }


def _operation(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": getattr(endpoint.handler, "__name__", "") + "_" + endpoint.tag.replace("-", "_"),
        "summary": endpoint.summary,
        "tags": [endpoint.tag],
        "x-access": endpoint.access.rule,
        "parameters": [
            *_path_parameters(endpoint),
            *_query_parameters(endpoint.query, schemas),
            *_header_parameters(endpoint),
            *([IDEMPOTENCY_KEY] if endpoint.repeatable else []),
        ],
        "responses": _responses(endpoint, schemas),
    }
    if endpoint.access.scheme is not None:
        operation["security"] = [{endpoint.access.scheme: []}]
    if endpoint.body is not None:
        body = schema_of(endpoint.body, "validation", schemas)
        operation["requestBody"] = {
            "required": True,
            "content": {media: {"schema": body} for media in endpoint.consumes},
        }
    return operation


def _path_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {
            "name": name,
            "in": "path",
            "required": True,
            "schema": {"type": "string", "format": "uuid"} if kind is UUID else {"type": "string"},
        }
        for name, kind in endpoint.path_types.items()
    ]


def _header_parameters(endpoint: Endpoint) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "header", "required": False, "description": text, "schema": {"type": "string"}}
        for name, text in endpoint.access.headers.items()
    ]


def _query_parameters(query: type[BaseModel] | None, schemas: dict[str, Any]) -> list[dict[str, Any]]:
    if query is None:
        return []
    schema = query.model_json_schema(ref_template=REF)
    schemas.update(schema.get("$defs", {}))
    required = set(schema.get("required", []))
    return [
        {"name": name, "in": "query", "required": name in required, "schema": part}
        for name, part in schema["properties"].items()
    ]


def _responses(endpoint: Endpoint, schemas: dict[str, Any]) -> dict[str, Any]:
    success: dict[str, Any] = {"description": HTTPStatus(endpoint.status).phrase}
    if endpoint.answer is not None:
        schema = schema_of(endpoint.answer, "serialization", schemas)
        success["content"] = {
            media: {"schema": schema if "json" in media else {"type": "string"}} for media in endpoint.produces
        }
    elif endpoint.produces != ("application/json",):
        success["content"] = {media: {"schema": {"type": "string"}} for media in endpoint.produces}
    responses: dict[str, Any] = {str(endpoint.status): success}
    for status, answer in endpoint.also.items():
        schema = schema_of(answer, "serialization", schemas)
        content = {"application/json": {"schema": schema}}
        responses[str(status)] = {"description": HTTPStatus(status).phrase, "content": content}
    for status, problems in sorted(_by_status(_problems_of(endpoint), endpoint.refusals).items()):
        responses[str(status)] = {
            "description": "; ".join(f"{problem.code()}: {problem.title()}" for problem in problems),
            "content": _refusal(endpoint.refusals, status, schemas),
        }
    return responses


def _refusal(refusals: Refusals | None, status: int, schemas: dict[str, Any]) -> dict[str, Any]:
    if refusals is None or status == InternalFault.status:
        return {"application/problem+json": {"schema": {"$ref": REF.format(model="ProblemDocument")}}}
    return {"application/json": {"schema": schema_of(refusals.shape, "serialization", schemas)}}


def _problems_of(endpoint: Endpoint) -> set[type[Problem]]:
    problems = {*endpoint.problems, *endpoint.access.problems, *COMMON_PROBLEMS, InternalFault}
    if endpoint.rate:
        problems.add(TooManyRequests)
    if endpoint.body is not None:
        problems |= {BrokenJson, BodyBroken, BodyTooLarge, BodyTooSlow, WrongContentType}
    if endpoint.repeatable:
        problems.add(IdempotencyConflict)
    return problems


def _by_status(problems: Iterable[type[Problem]], refusals: Refusals | None) -> dict[int, list[type[Problem]]]:
    grouped: dict[int, list[type[Problem]]] = defaultdict(list)
    for problem in sorted(problems, key=lambda kind: kind.code()):
        grouped[problem.status if refusals is None else refusals.status_of(problem)].append(problem)
    return grouped


def schema_of(kind: Any, mode: Any, schemas: dict[str, Any]) -> dict[str, Any]:
    """Return the JSON schema of a type, a reference where it is a model; models are added to `schemas`."""
    schema = TypeAdapter(kind).json_schema(ref_template=REF, mode=mode)
    schemas.update(schema.pop("$defs", {}))
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        name = schema.get("title", kind.__name__).replace("[", "_").replace("]", "")
        schemas[name] = schema
        return {"$ref": REF.format(model=name)}
    return schema
