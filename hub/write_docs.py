"""Writes the documents that come from the code into docs/: `python -m hub.write_docs`."""

from pathlib import Path

from hub import access_table, asyncapi
from hub.app import ENDPOINTS, LIVE_ENDPOINTS
from hub.openapi import render

DOCS = Path(__file__).resolve().parent.parent / "docs"
OPENAPI = DOCS / "openapi.json"
ASYNCAPI = DOCS / "asyncapi.json"
ACCESS = DOCS / "access.md"
DECLARED = (*ENDPOINTS, *LIVE_ENDPOINTS)

if __name__ == "__main__":
    OPENAPI.write_bytes(render(DECLARED))
    ASYNCAPI.write_bytes(asyncapi.render(DECLARED))
    ACCESS.write_text(access_table.render(DECLARED), encoding="utf-8")
