"""What the dashboard never does, read off its source text."""

import re
from pathlib import Path

FRONTEND = Path(__file__).resolve().parents[2] / "frontend"
SOURCES = {
    str(file.relative_to(FRONTEND)): file.read_text(encoding="utf-8")
    for folder in ("src", "public")
    for file in sorted((FRONTEND / folder).rglob("*"))
    if file.suffix in {".ts", ".tsx", ".js"}
}
MARKUP = r"dangerouslySetInnerHTML|innerHTML|outerHTML|insertAdjacentHTML|document\.write|DOMParser|srcDoc|srcdoc"
EVALUATED = r"\beval\(|new Function\(|javascript:|import\(\s*[^\s'\"`)]"
MERGED = r"__proto__|Object\.assign\(|\.setPrototypeOf\(|lodash|deepmerge"
STORES = r"localStorage|sessionStorage|indexedDB|document\.cookie|caches\.open"
# Where links lead that no text in the source names: files made in the page, and the authenticator's own address.
LED_TO = {"enrollment.uri", "`/downloads/${key}`", "URL.createObjectURL"}
# What is kept, in this order: that a session may exist; language; the last project's id; look and language.
KEPT_BY = {"src/api/session.ts", "src/app/i18n/index.ts", "src/app/shell/last-project.ts", "public/scheme.js"}


def found(pattern: str) -> set[str]:
    """Return the files in which a pattern is found."""
    return {name for name, text in SOURCES.items() if re.search(pattern, text)}


def test_there_are_sources() -> None:
    assert len(SOURCES) > 80
    assert found(r"<PasswordInput") != set()


def test_the_dashboard_writes_no_markup() -> None:
    assert found(MARKUP) == set()


def test_the_dashboard_evaluates_nothing() -> None:
    assert found(EVALUATED) == set()


def test_the_dashboard_merges_no_input_into_objects() -> None:
    assert found(MERGED) == set()


def test_links_of_the_dashboard_have_safe_schemes() -> None:
    led_to = {
        (given or assigned).partition("(")[0]
        for text in SOURCES.values()
        for given, assigned in re.findall(r"href=\{([^{}]+)\}|\.href = ([^;]+);", text)
    }
    assert led_to <= LED_TO
    assert found(r"window\.open\(|location\.(href|assign|replace)[^;]*(https?:|//)") == set()


def test_passwords_are_typed_into_fields_that_hide_them() -> None:
    fields = [
        component
        for text in SOURCES.values()
        for component in re.findall(r"<(\w+)[^<>]*?\bname=\"[^\"]*password[^\"]*\"", text)
    ]
    assert fields != []
    assert set(fields) <= {"PasswordInput", "NewPassword"}


def test_nothing_hinders_pasting() -> None:
    assert found(r"onPaste|onBeforeInput|preventDefault\(\).*[pP]aste") == set()


def test_what_the_browser_keeps() -> None:
    assert found(STORES) <= KEPT_BY
