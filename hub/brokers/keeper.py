"""Keeps the account files of a Mosquitto beside the hub, and lets it read them whenever they have changed."""

import asyncio
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

import structlog

from hub.brokers import files, queries, reload
from hub.brokers.models import Account
from hub.brokers.notices import HUB_USER, NOTICES, STATUSES, Came, Lives, Notice, Refused, Went
from hub.brokers.overlaps import Overlaps
from hub.brokers.takers import Takers
from hub.kit.clock import Clock
from hub.kit.db import Database, Tx
from hub.kit.problems import DatabaseAway
from hub.kit.vault import Vault
from hub.sensors import tokens
from hub.sensors.broker_hash import broker_hash

log: Final = structlog.get_logger(__name__)

# Mosquitto forgets a signal that comes while it still reads, so each is sent once more when that must be over.
_AGAIN: Final = timedelta(seconds=1)


class Keeper:
    """The files `passwd` and `acl` in `folder`, for the Mosquitto of `pid_file`, and `sessions.json` for the next run.

    `instances` is how many logins an edge agent has besides its own, for programs that share its load.
    """

    def __init__(
        self, db: Database, vault: Vault, clock: Clock, *, folder: Path, pid_file: Path, instances: int, poll_s: float
    ) -> None:
        self._db = db
        self._vault = vault
        self._clock = clock
        self._folder = folder
        self._pid_file = pid_file
        self._instances = instances
        self._poll_s = poll_s
        self._overlaps = Overlaps()
        self._takers = Takers()
        self._accounts: Sequence[Account] = ()
        self._users: dict[str, str] = {}
        self._connected: set[str] = set()
        self._version = -1
        self._due: datetime | None = None
        self._news = asyncio.Event()
        self._unread = False
        self._again: datetime | None = None
        self._reader: int | None = None
        self._seen: int | None = None
        self.password = secrets.token_urlsafe(32)
        self._hash = broker_hash(self.password)

    async def run(self) -> None:
        """Follow the hub's tokens and assignments until cancelled; while the database is away the files stay.

        Of several in one folder one works and the others stand by.
        """
        while True:
            with files.alone(self._folder) as alone:
                if alone:
                    await self._follow()
            await asyncio.sleep(self._poll_s)

    async def _follow(self) -> None:
        while True:
            try:
                await self.refresh()
            except DatabaseAway:
                log.info("broker accounts kept, the database is away")
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._news.wait()
            except TimeoutError:
                continue

    async def refresh(self) -> None:
        """Bring the files up to date and Mosquitto with them. Raises DatabaseAway."""
        self._watch_restarts()
        await self._vault.ready()
        async with self._db.transaction() as tx:
            version = await queries.registry_version(tx)
            loaded = await self._load(tx) if version != self._version else None
        if loaded is not None:
            if self._version < 0:
                await asyncio.to_thread(self._go_on, loaded)
            self._accounts, self._version = loaded, version
        now = self._clock.now()
        if loaded is not None or self._news.is_set() or (self._due is not None and now >= self._due):
            self._news.clear()
            await self._write(self._accounts, now)
        self._let_read(now)

    def heard(self, notice: Notice) -> None:
        """Take note of what Mosquitto tells."""
        news = False
        match notice:
            case Refused():
                news = self._overlaps.refused(self._accounts, self._connected, self._clock.now())
            case Came(user, stays):
                self._connected.add(user)
                if user in self._takers:
                    news = self._took(user) if stays else self._takers.gone(user)
            case Lives(user):
                news = self._took(user)
            case Went(user, revoked):
                self._connected.discard(user)
                # Its session goes on and may read nothing any more.
                news = revoked and user in self._takers and self._takers.came(user, "revoked")
        if news:
            self._news.set()

    def _watch_restarts(self) -> None:
        """Keep sensors out of a Mosquitto that was ended until their agents are back.

        A session that it restores may read nothing before its client has come again: what it should take would be gone.
        """
        pid = reload.running(self._pid_file)
        if self._seen is not None and pid != self._seen and self._takers.restarted():
            self._news.set()
        self._seen = pid

    def _took(self, user: str) -> bool:
        return user in self._users and self._takers.came(user, self._users[user])

    async def _write(self, accounts: Sequence[Account], now: datetime) -> None:
        self._overlaps.forget(accounts, now)
        ends = (end for account in accounts for end in (account.old_until, account.expires_at))
        self._due = min((end for end in ends if end is not None and end > now), default=None)
        agents = [account for account in accounts if account.kind == "agent"]
        self._takers.forget(agent.id for agent in agents)
        self._users = self._passwords(agents, now)
        if outdated := self._takers.outdated(self._users):
            log.warning("sensors wait for their agents to log in with a token that is good", agents=outdated)
        taken = [
            sensor
            for sensor, agent in files.taken_by(accounts)
            if agent is not None and self._takers.take(agent, self._users)
        ]
        users = {HUB_USER: self._hash} | self._users | self._passwords(taken, now)
        rights = {HUB_USER: [f"topic read {name}" for name in (NOTICES, STATUSES)]}
        rights |= files.rights(accounts, self._instances)
        if await asyncio.to_thread(self._replace, files.password_file(users), files.acl_file(rights)):
            log.info("broker accounts written", agents=len(agents), sensors=len(taken), folder=str(self._folder))
            self._unread = True

    def _passwords(self, accounts: Sequence[Account], now: datetime) -> dict[str, str]:
        return files.passwords(accounts, lambda account: self._overlaps.hash_of(account, now), self._instances)

    async def _load(self, tx: Tx) -> list[Account]:
        while rows := await queries.unhashed_sensors(tx):
            for row in rows:
                token = await tokens.unseal(self._vault, row["id"], row["token_sealed"])
                await queries.add_hash(
                    tx, sensor_id=row["id"], digest=row["token_digest"], broker_hash=broker_hash(token)
                )
        accounts = [Account(**dict(row)) for row in await queries.accounts(tx)]
        if unknown := [str(account.id) for account in accounts if account.hash is None]:
            log.warning("edge agents cannot log in to Mosquitto until their tokens are rotated once", agents=unknown)
        return accounts

    def _go_on(self, accounts: Sequence[Account]) -> None:
        """Take over what an earlier run has written."""
        self._folder.mkdir(mode=0o750, parents=True, exist_ok=True)
        passwords, sessions = self._folder / "passwd", self._folder / "sessions.json"
        if passwords.exists():
            self._overlaps.keep(accounts, files.read_passwords(passwords.read_text(encoding="utf-8")))
        if sessions.exists():
            self._takers = Takers.parse(sessions.read_bytes())

    def _replace(self, passwords: str, rights: str) -> bool:
        files.replace(self._folder / "sessions.json", self._takers.dump())
        # Rights first: nobody who is new gets in before they are known.
        changed = files.replace(self._folder / "acl", rights)
        return files.replace(self._folder / "passwd", passwords) or changed

    def _let_read(self, now: datetime) -> None:
        """Signal a Mosquitto that has not read the files as they are; one that starts later reads them by itself."""
        pid = reload.running(self._pid_file)
        first = self._unread or pid != self._reader
        if pid is None or not (first or (self._again is not None and now >= self._again)):
            return
        try:
            reload.reload(pid)
        except PermissionError:
            log.error("Mosquitto belongs to another user and cannot be told of its accounts", pid=pid)  # noqa: TRY400 - the text says it all
            return
        except ProcessLookupError:
            return
        self._unread, self._reader, self._again = False, pid, now + _AGAIN if first else None
