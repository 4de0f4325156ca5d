"""Preparing a checkout: which Node fits, what is done again, how a failure is told."""

import sys
from pathlib import Path

import pytest

from tests.bin.scripts import script

prepare = script("prepare")


def fake_node(folder: Path, version: str, *, npm: bool = True) -> str:
    for name in ("node", "npm") if npm else ("node",):
        program = folder / name
        program.write_text(f"#!/bin/sh\necho {version}\n")
        program.chmod(0o755)
    return str(folder)


@pytest.mark.parametrize("version", ["v20.19.0", "v20.20.1", "v22.12.0", "v23.0.0", "v24.19.0"])
def test_node_that_vite_runs_on_is_used(tmp_path: Path, version: str):
    assert prepare.fitting_node(fake_node(tmp_path, version))


@pytest.mark.parametrize("version", ["v18.20.0", "v20.18.9", "v21.7.0", "v22.11.0", "nonsense"])
def test_other_node_is_not(tmp_path: Path, version: str):
    assert not prepare.fitting_node(fake_node(tmp_path, version))


def test_node_without_npm_is_not(tmp_path: Path):
    assert not prepare.fitting_node(fake_node(tmp_path, "v24.19.0", npm=False))
    assert not prepare.fitting_node(str(tmp_path / "nothing"))


class TestStep:
    def test_tells_its_beginning_and_its_end(self, capsys: pytest.CaptureFixture[str]):
        prepare.step("Packages", [sys.executable, "-c", "print('one of two')"])
        first, *_, last = capsys.readouterr().out.splitlines()
        assert first.startswith("· Packages … 0 s")
        assert last.startswith("✓ Packages (")

    def test_failure_shows_the_output_and_ends(self, capsys: pytest.CaptureFixture[str]):
        with pytest.raises(SystemExit, match="ended with 3"):
            prepare.step("Packages", [sys.executable, "-c", "print('no such version'); raise SystemExit(3)"])
        assert "✗ Packages\nno such version\n" in capsys.readouterr().out


class TestDigest:
    @pytest.fixture
    def folder(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
        monkeypatch.setattr(prepare, "ROOT", tmp_path)
        (tmp_path / "a").write_text("1")
        (tmp_path / "b").write_text("2")
        return tmp_path

    def test_same_files_same_digest(self, folder: Path):
        files = [folder / "a", folder / "b"]
        assert prepare.digest(files) == prepare.digest(files)

    def test_content_name_and_salt_change_it(self, folder: Path):
        before = prepare.digest([folder / "a"])
        assert before != prepare.digest([folder / "b"])
        assert before != prepare.digest([folder / "a"], salt="3.12")
        (folder / "a").write_text("changed")
        assert before != prepare.digest([folder / "a"])
        (folder / "a").rename(folder / "c")
        (folder / "c").write_text("1")
        assert before != prepare.digest([folder / "c"])


def test_front_end_is_built_again_for_its_sources_and_not_for_its_tests(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(prepare, "FRONTEND", tmp_path)
    for name in ("src/app/main.tsx", "src/app/main.test.tsx", "public/icon.svg", "index.html", "dist/index.html"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    names = {path.relative_to(tmp_path).as_posix() for path in prepare.frontend_sources()}
    assert names == {"src/app/main.tsx", "public/icon.svg", "index.html"}


def test_finished_step_is_remembered(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(prepare, "STAMPS", tmp_path / "prepared.json")
    assert prepare.stamp("requirements.lock") is None
    prepare.remember("requirements.lock", "abc")
    prepare.remember("checkout", "def")
    assert (prepare.stamp("requirements.lock"), prepare.stamp("checkout")) == ("abc", "def")


def test_missing_program_is_told_in_one_line_to_whoever_is_not_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("PATH", str(tmp_path))  # no apt-get here
    monkeypatch.setattr(prepare, "SYSTEM_PROGRAMS", {"chromium": ("chromium",)})
    monkeypatch.setattr(prepare, "NEEDED", {"test": ("chromium",)})
    prepare.system_programs("run")
    prepare.system_programs("test")
    assert capsys.readouterr().out == "! make test needs chromium. On Debian: sudo apt-get install chromium\n"
