"""The tokens of sensors and edge agents: choosing, viewing and rotating them."""

import contextlib
from datetime import datetime, timedelta
from uuid import UUID

import asyncpg
from cryptography.exceptions import InvalidTag

from hub.kit.context import Context
from hub.kit.crypto import new_token
from hub.kit.db import Tx
from hub.kit.key_ring import KeyRing
from hub.kit.problems import FieldError, InvalidPayload, NotFound
from hub.kit.vault import Vault
from hub.ledger.service import Fact, record
from hub.sensors import token_queries
from hub.sensors.broker_hash import broker_hash
from hub.sensors.problems import SensorTokenTaken
from hub.sensors.secret import weakness
from hub.sensors.token_models import RotatedToken, Rotation, SensorRotation, ShownToken


async def choose(ctx: Context, own: str | None) -> tuple[str, bytes]:
    """Take somebody's own token for a sensor or make one; returns it with its digest.

    Raises InvalidPayload for one that may be guessed, SensorTokenTaken for one in use.
    """
    token = new_token("etps") if own is None else own
    if (why := weakness(token)) is not None:
        raise InvalidPayload(errors=[FieldError(loc=["body", "token"], msg=why)])
    digest = ctx.hub.keys.digest(token)
    if await token_queries.known(ctx.tx, digest):
        raise SensorTokenTaken
    return token, digest


def check_expiry(ctx: Context, expires_at: datetime | None) -> None:
    """Raise InvalidPayload for the end of a token that is over already."""
    if expires_at is not None and expires_at <= ctx.hub.clock.now():
        raise InvalidPayload(
            errors=[FieldError(loc=["body", "token_expires_at"], msg="This is over: name a later time")]
        )


async def seal(ctx: Context, sensor_id: UUID, token: str) -> bytes:
    """Seal a token for the sensor that it belongs to."""
    return await ctx.hub.vault.seal(token.encode(), _about(sensor_id))


async def unseal(vault: Vault, sensor_id: UUID, sealed: bytes) -> str:
    """Open what `seal` made of a sensor's token."""
    return (await vault.unseal(sealed, _about(sensor_id))).decode()


async def view(ctx: Context, sensor_id: UUID) -> ShownToken:
    """Show a sensor's token, which is recorded."""
    sealed = await token_queries.sealed_of_sensor(ctx.tx, sensor_id)
    if sealed is None:
        raise NotFound(noun="sensor")
    token = await unseal(ctx.hub.vault, sensor_id, sealed)
    await record(ctx, Fact("sensor.token_viewed", subject_id=sensor_id))
    return ShownToken(token=token)


async def rotate(ctx: Context, sensor_id: UUID, body: SensorRotation) -> RotatedToken:
    """Give a sensor another token; raises SensorTokenTaken. The one before stays good for the overlap."""
    check_expiry(ctx, body.token_expires_at)
    token, digest = await choose(ctx, body.token)
    until = _end_of_overlap(ctx, body)
    try:
        row = await token_queries.rotate_of_sensor(
            ctx.tx,
            sensor_id=sensor_id,
            digest=digest,
            sealed=await seal(ctx, sensor_id, token),
            broker_hash=broker_hash(token),
            expires_at=body.token_expires_at,
            old_token_until=until,
        )
    except asyncpg.UniqueViolationError as error:
        raise SensorTokenTaken from error
    if row is None:
        raise NotFound(noun="sensor")
    details = body.model_dump(include={"overlap_s", "token_expires_at"}, exclude_none=True)
    await record(ctx, Fact("sensor.token_rotated", subject_id=sensor_id, details=details))
    return RotatedToken(token=token, old_token_until=row["old_token_until"])


async def rotate_of_agent(ctx: Context, agent_id: UUID, body: Rotation) -> RotatedToken:
    """Give an edge agent another token, which is in this answer only; the one before stays good for the overlap."""
    token, until = new_token("etpe"), _end_of_overlap(ctx, body)
    if not await token_queries.rotate_of_agent(
        ctx.tx,
        agent_id=agent_id,
        digest=ctx.hub.keys.digest(token),
        broker_hash=broker_hash(token),
        old_token_until=until,
    ):
        raise NotFound(noun="edge agent")
    await record(ctx, Fact("edge_agent.token_rotated", subject_id=agent_id, details={"overlap_s": body.overlap_s}))
    return RotatedToken(token=token, old_token_until=until)


async def opens_any(tx: Tx, ring: KeyRing) -> bool:
    """Tell whether the keys open some sensor's token; True where there is no sensor."""
    row = await token_queries.any_sealed(tx)
    if row is None:
        return True
    with contextlib.suppress(InvalidTag):
        ring.unseal(row["token_sealed"], _about(row["id"]))
        return True
    return False


def _end_of_overlap(ctx: Context, body: Rotation) -> datetime | None:
    return ctx.hub.clock.now() + timedelta(seconds=body.overlap_s) if body.overlap_s else None


def _about(sensor_id: UUID) -> bytes:
    return sensor_id.bytes
