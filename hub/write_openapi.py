"""Writes docs/openapi.json, from which clients are generated: `python -m hub.write_openapi`."""

from pathlib import Path

from hub.app import ENDPOINTS, LIVE_ENDPOINTS
from hub.openapi import render

FILE = Path(__file__).resolve().parent.parent / "docs" / "openapi.json"

if __name__ == "__main__":
    FILE.write_bytes(render((*ENDPOINTS, *LIVE_ENDPOINTS)))
