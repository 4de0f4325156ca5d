"""The accounts as the hub knows them, remembered so that known devices keep working while it is away."""

import asyncio
import hmac
import time
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Collection
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Self
from uuid import UUID

import aiohttp
import msgspec
import structlog

from broker.accounts import Account, AccountsUnavailable, LoginRefused

log: Final = structlog.get_logger(__name__)

_TICK_S: Final = 0.25
_CHECKS_A_TICK: Final = 12  # about 50 a second, so that many devices never become a load on the hub
_PAUSE_S: Final = 1.0
_REFUSALS: Final = frozenset({400, 401, 422})


@dataclass
class _Known:
    account: Account
    password: str  # to ask again with; never logged, never written down
    checked_at: float
    refused: bool = False


class HubAccounts:
    """Logins checked by `POST {hub}/api/v1/broker/login`; an async context manager.

    An answer is believed for `recheck_s`. While the hub does not answer, what it said up to `keep_s` ago still holds;
    at most `most` accounts are remembered, the longest unused are forgotten first.
    """

    def __init__(
        self,
        hub_url: str,
        *,
        timeout_s: float = 3.0,
        recheck_s: float = 3.0,
        keep_s: float = 86_400.0,
        most: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._url = f"{hub_url}/api/v1/broker/login"
        self._timeout = aiohttp.ClientTimeout(total=timeout_s)
        self._recheck_s = recheck_s
        self._keep_s = keep_s
        self._most = most
        self._clock = clock
        self._known: OrderedDict[UUID, _Known] = OrderedDict()
        self._session: aiohttp.ClientSession | None = None
        self._away = False

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(timeout=self._timeout, connector=aiohttp.TCPConnector(limit=16))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._session is not None:
            await self._session.close()

    async def login(self, username: str, password: str) -> Account:
        """Return the account; raises `LoginRefused` or, when nothing can be known, `AccountsUnavailable`."""
        account_id = _canonical(username)
        known = self._known.get(account_id)
        if known is not None and (known.refused or not _same(known.password, password)):
            known = None  # only the hub can say whether this is a new token or a wrong one
        age_s = self._clock() - known.checked_at if known is not None else 0.0
        if known is not None and age_s < self._recheck_s:
            self._known.move_to_end(account_id)
            return known.account
        try:
            account = await self._ask(account_id, password)
        except AccountsUnavailable:
            if known is None or age_s > self._keep_s:
                raise
            return known.account
        except LoginRefused:
            if known is not None:
                known.checked_at = float("-inf")  # so that `watch` asks next about those already connected
            raise
        self._remember(account, password)
        return account

    def find(self, account_id: UUID) -> Account | None:
        """Return the account as last heard of, None when it has not logged in for long."""
        known = self._known.get(account_id)
        return known.account if known is not None else None

    async def watch(self, in_use: Callable[[], Collection[UUID]]) -> AsyncIterator[UUID]:
        """Ask about the accounts in use again and again; yield each whose password is no longer right."""
        while True:
            await asyncio.sleep(_TICK_S)
            for account_id, known in self._due(in_use()):
                try:
                    account = await self._ask(account_id, known.password)
                except LoginRefused:
                    # A login with a new token may have come in between; then this answer is about the old one.
                    if self._known.get(account_id) is known:
                        known.refused = True
                        yield account_id
                except AccountsUnavailable:
                    await asyncio.sleep(_PAUSE_S)
                    break
                else:
                    known.account = account
                    known.checked_at = self._clock()

    def _due(self, in_use: Collection[UUID]) -> list[tuple[UUID, _Known]]:
        asked_before = self._clock() - self._recheck_s
        due = [
            (account_id, known)
            for account_id in in_use
            if (known := self._known.get(account_id)) and not known.refused and known.checked_at <= asked_before
        ]
        return sorted(due, key=lambda entry: entry[1].checked_at)[:_CHECKS_A_TICK]

    def _remember(self, account: Account, password: str) -> None:
        self._known[account.id] = _Known(account, password, self._clock())
        self._known.move_to_end(account.id)
        while len(self._known) > self._most:
            self._known.popitem(last=False)

    async def _ask(self, account_id: UUID, password: str) -> Account:
        if self._session is None:
            raise RuntimeError("HubAccounts is used outside its context")
        body = {"username": str(account_id), "password": password}
        try:
            async with self._session.post(self._url, json=body, allow_redirects=False) as response:
                status, answer = response.status, await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise self._unavailable(f"{type(error).__name__}: {error}".rstrip(": ")) from error
        if status in _REFUSALS:
            self._answers()
            raise LoginRefused("the hub does not know this user name with this password")
        if status != 200:
            raise self._unavailable(f"HTTP {status}")
        try:
            account = msgspec.json.decode(answer, type=Account)
        except msgspec.DecodeError as error:
            raise self._unavailable(f"unreadable answer: {error}") from error
        if account.id != account_id:
            raise self._unavailable("an answer about another account")
        self._answers()
        return account

    def _unavailable(self, reason: str) -> AccountsUnavailable:
        if not self._away:
            self._away = True
            log.warning("hub does not answer logins: only devices it has vouched for get in", reason=reason)
        return AccountsUnavailable(reason)

    def _answers(self) -> None:
        if self._away:
            self._away = False
            log.info("hub answers logins again")


def _canonical(username: str) -> UUID:
    try:
        account_id = UUID(username)
    except ValueError:
        account_id = None
    # Client ids and topics are compared with the user name as text, so one spelling only.
    if account_id is None or str(account_id) != username:
        raise LoginRefused("the user name is no id of a sensor or an edge agent")
    return account_id


def _same(left: str, right: str) -> bool:
    return hmac.compare_digest(left.encode(), right.encode())
