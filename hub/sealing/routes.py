"""Routes of sealing."""

from uuid import UUID

from hub.captures.access import of_capture
from hub.captures.models import Capture
from hub.kit.context import Context
from hub.kit.endpoint import Routes
from hub.projects.models import Role
from hub.sealing import service, verification
from hub.sealing.models import Manifest, Verification
from hub.sealing.problems import CaptureNotFinished, CaptureNotSealed, NothingToSeal

routes = Routes("captures")


@routes.route(
    "POST",
    "/captures/{capture_id}/seal",
    access=of_capture(Role.EDITOR),
    answer=Capture,
    status=202,
    problems=[CaptureNotFinished, NothingToSeal],
)
async def seal_capture(ctx: Context, capture_id: UUID) -> Capture:
    """Seal a finished capture now, or what came late to a sealed one; `sealing` tells how far it is."""
    return await service.seal(ctx, capture_id)


@routes.route(
    "GET",
    "/captures/{capture_id}/manifest",
    access=of_capture(Role.VIEWER),
    answer=Manifest,
    problems=[CaptureNotSealed],
)
async def read_manifest(ctx: Context, capture_id: UUID) -> Manifest:
    """Read what each seal of a capture holds: counts and hashes, sensor by sensor."""
    return await service.manifest(ctx, capture_id)


@routes.route(
    "POST",
    "/captures/{capture_id}/verify",
    access=of_capture(Role.VIEWER),
    answer=Verification,
    problems=[CaptureNotSealed],
    transaction=False,
    rate=0.1,
)
async def verify_capture(ctx: Context, capture_id: UUID) -> Verification:
    """Compute counts, hashes and physical values of a sealed capture once more and say which hold."""
    return await verification.verify_for(ctx, capture_id)
