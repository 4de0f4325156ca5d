"""What `etp verify` prints."""

from collections.abc import Iterator

from hub.sealing.models import Verification


def report(found: Verification) -> Iterator[str]:
    """Yield the lines of a report: each series under each seal, each profile version, then the verdict."""
    yield f"capture {found.capture_id}, verified {found.verified_at.isoformat(timespec='seconds')}"
    for one in found.series:
        count, sha = _held(holds=one.count_holds), _held(holds=one.hash_holds)
        yield f"  seal {one.seal}  {one.sensor}: {one.samples} samples, count {count}, SHA-256 {sha}"
    for one in found.physical:
        of = f"{one.kind} version {one.profile_version}" if one.profile_version else "no profile"
        part = "" if one.part == "samples" else f" ({one.part})"
        close = f", {one.close} within 4 ulp" if one.close else ""
        yield (
            f"  revision {one.revision}  {one.sensor}{part}, {of}: {one.exact} of {one.samples} bit for bit{close},"
            f" {one.differing} differ"
        )
    yield from (f"  {fault}" for fault in found.faults)
    yield "everything holds" if found.holds else "IT DOES NOT HOLD"


def _held(*, holds: bool) -> str:
    return "holds" if holds else "DIFFERS"
