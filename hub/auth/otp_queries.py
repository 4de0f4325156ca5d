"""SQL of the second factor."""

from collections.abc import Sequence
from uuid import UUID

from hub.kit.db import Tx


async def secret(tx: Tx, user_id: UUID) -> bytes | None:
    """Read the sealed secret of a user's authenticator."""
    return await tx.fetchval(
        """
        select otp_sealed
        from app_user
        where id = $1
        """,
        user_id,
    )


async def put_secret(tx: Tx, user_id: UUID, sealed: bytes) -> None:
    """Keep a secret that is still to be confirmed."""
    await tx.execute(
        """
        update app_user
        set otp_sealed = $2
        where id = $1 and otp_confirmed_at is null
        """,
        user_id,
        sealed,
    )


async def activate(tx: Tx, user_id: UUID) -> None:
    """Note that the authenticator works."""
    await tx.execute(
        """
        update app_user
        set otp_confirmed_at = now()
        where id = $1
        """,
        user_id,
    )


async def clear(tx: Tx, user_id: UUID) -> None:
    """Forget the authenticator, but not which codes were used."""
    await tx.execute(
        """
        update app_user
        set otp_sealed = null, otp_confirmed_at = null
        where id = $1
        """,
        user_id,
    )


async def advance(tx: Tx, user_id: UUID, step: int) -> bool:
    """Use the code of a time step up; False when it or a later one was used before."""
    return (
        await tx.fetchval(
            """
            update app_user
            set otp_last_step = $2
            where id = $1 and otp_last_step < $2
            returning true
            """,
            user_id,
            step,
        )
        is not None
    )


async def use_recovery_code(tx: Tx, user_id: UUID, digest: bytes) -> bool:
    """Use a recovery code up; False when there is none, or it was used before."""
    return (
        await tx.fetchval(
            """
            update recovery_code
            set used_at = now()
            where user_id = $1 and digest = $2 and used_at is null
            returning true
            """,
            user_id,
            digest,
        )
        is not None
    )


async def insert_recovery_codes(tx: Tx, user_id: UUID, digests: Sequence[bytes]) -> None:
    """Keep the digests of fresh recovery codes."""
    await tx.execute(
        """
        insert into recovery_code (user_id, digest)
        select $1, digest
        from unnest($2::bytea[]) as digest
        """,
        user_id,
        digests,
    )


async def delete_recovery_codes(tx: Tx, user_id: UUID) -> None:
    """Forget all recovery codes of a user."""
    await tx.execute(
        """
        delete from recovery_code
        where user_id = $1
        """,
        user_id,
    )


async def recovery_codes_left(tx: Tx, user_id: UUID) -> int:
    """Count the recovery codes of a user that were not used."""
    return await tx.fetchval(
        """
        select count(*)
        from recovery_code
        where user_id = $1 and used_at is null
        """,
        user_id,
    )
