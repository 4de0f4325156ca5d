"""Which of a device's two good tokens stands in the password file while they overlap: Mosquitto knows but one."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from hub.brokers.models import Account

_REST: Final = timedelta(seconds=1)


class Overlaps:
    """Begins with the old token, which the device shows until somebody gives it the new one.

    When a log-in is refused, the devices that are not connected get their turn with the other token: whichever a
    device shows, it is in after its next tries, and no session ends for another's sake.
    """

    def __init__(self) -> None:
        self._renewed: set[UUID] = set()
        self._turned_at: dict[UUID, datetime] = {}

    def hash_of(self, account: Account, now: datetime) -> str | None:
        """Return the hash that stands for an account; None where no token of it is good."""
        if account.overlaps(now) and (account.id not in self._renewed or account.ended(now)):
            return account.old_hash
        return None if account.ended(now) else account.hash

    def keep(self, accounts: Iterable[Account], written: Mapping[str, str]) -> None:
        """Go on with what an earlier run has written."""
        self._renewed |= {
            account.id
            for account in accounts
            if account.hash is not None and written.get(str(account.id)) == account.hash
        }

    def forget(self, accounts: Iterable[Account], now: datetime) -> None:
        """Forget the overlaps that are over, so that the next one of a device begins with its old token again."""
        going_on = {account.id for account in accounts if account.overlaps(now)}
        self._renewed &= going_on
        self._turned_at = {device: at for device, at in self._turned_at.items() if device in going_on}

    def refused(self, accounts: Iterable[Account], connected: Collection[str], now: datetime) -> bool:
        """Turn to the other token where that may be what was refused; returns whether anything turned."""
        turned = False
        for account in accounts:
            resting = now - self._turned_at.get(account.id, datetime.min.replace(tzinfo=now.tzinfo)) < _REST
            if account.overlaps(now) and str(account.id) not in connected and not resting:
                self._renewed ^= {account.id}
                self._turned_at[account.id] = now
                turned = True
        return turned
