"""Accounts asked of a hub that answers, refuses, is away, or talks nonsense."""

import asyncio
import contextlib
from uuid import uuid4

import pytest
from aiohttp import web

from broker.accounts import AccountsUnavailable, LoginRefused
from broker.hub_accounts import HubAccounts
from tests.broker.parts import eventually


class Clock:
    now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
async def accounts(hub, clock):
    async with HubAccounts(hub.url, timeout_s=2, recheck_s=3, keep_s=3600, most=3, clock=clock) as asked:
        yield asked


@contextlib.asynccontextmanager
async def watching(accounts, *logins):
    refused = []

    async def watch():
        async for account_id in accounts.watch(lambda: [login.id for login in logins]):
            refused.append(account_id)  # noqa: PERF401 - it never ends

    task = asyncio.create_task(watch())
    yield refused
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class TestLogin:
    async def test_wrong_password(self, hub, accounts):
        with pytest.raises(LoginRefused):
            await accounts.login(str(hub.sensor().id), "wrong")

    async def test_unknown_user(self, accounts):
        with pytest.raises(LoginRefused):
            await accounts.login(str(uuid4()), "any")

    @pytest.mark.parametrize("change", [str.upper, lambda text: f"{{{text}}}", lambda text: text.replace("-", "")])
    async def test_a_second_spelling_of_an_id_is_not_even_asked_for(self, hub, accounts, change):
        sensor = hub.sensor()
        with pytest.raises(LoginRefused):
            await accounts.login(change(str(sensor.id)), sensor.token)
        assert hub.asked == []

    async def test_a_known_password_is_not_asked_for_again_at_once(self, hub, accounts):
        agent = hub.agent()
        sensor = hub.sensor(agent)
        for _ in range(3):
            account = await accounts.login(str(sensor.id), sensor.token)
        assert (account.kind, account.project_id, account.agent_id) == ("sensor", hub.project_id, agent.id)
        assert accounts.find(sensor.id) == account
        assert len(hub.asked) == 1

    async def test_a_known_user_with_another_password_is_asked_for(self, hub, accounts):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        with pytest.raises(LoginRefused):
            await accounts.login(str(sensor.id), "wrong")
        sensor.token = "rotated"
        await accounts.login(str(sensor.id), "rotated")
        with pytest.raises(LoginRefused):
            await accounts.login(str(sensor.id), "wrong")

    async def test_the_longest_unused_are_forgotten_first(self, hub, accounts):
        sensors = [hub.sensor() for _ in range(3)]
        for sensor in [*sensors, sensors[0], hub.sensor()]:
            await accounts.login(str(sensor.id), sensor.token)
        assert [accounts.find(sensor.id) is not None for sensor in sensors] == [True, False, True]


class TestWhileTheHubIsAway:
    async def test_known_devices_get_in_and_unknown_ones_do_not(self, hub, accounts, clock):
        known, unknown = hub.sensor(), hub.sensor()
        await accounts.login(str(known.id), known.token)
        await hub.stop()
        clock.now += 60
        assert (await accounts.login(str(known.id), known.token)).id == known.id
        for username, password in [(unknown.id, unknown.token), (known.id, "wrong")]:
            with pytest.raises(AccountsUnavailable):
                await accounts.login(str(username), password)

    async def test_not_for_ever(self, hub, accounts, clock):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        await hub.stop()
        clock.now += 3601
        with pytest.raises(AccountsUnavailable):
            await accounts.login(str(sensor.id), sensor.token)

    async def test_nobody_whose_token_was_heard_to_be_revoked(self, hub, accounts, clock):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        old_token, sensor.token = sensor.token, "rotated"
        clock.now += 10
        async with watching(accounts, sensor) as refused:
            await eventually(lambda: refused, "the refusal")
        await hub.stop()
        with pytest.raises(AccountsUnavailable):
            await accounts.login(str(sensor.id), old_token)

    @pytest.mark.parametrize(
        "answer",
        [
            lambda: web.json_response({"status": 503}, status=503),
            lambda: web.Response(status=429),
            lambda: web.Response(status=404),
            lambda: web.Response(status=302, headers={"Location": "http://127.0.0.1:1/"}),
            lambda: web.Response(text="<html>a proxy's page</html>"),
            lambda: web.json_response({"kind": "sensor", "id": str(uuid4()), "project_id": str(uuid4())}),
        ],
        ids=["503", "429", "404", "302", "html", "another-id"],
    )
    async def test_an_answer_that_settles_nothing_is_none(self, hub, accounts, clock, answer):
        known, unknown = hub.sensor(), hub.sensor()
        await accounts.login(str(known.id), known.token)
        hub.answer = answer
        clock.now += 60
        assert (await accounts.login(str(known.id), known.token)).id == known.id
        with pytest.raises(AccountsUnavailable):
            await accounts.login(str(unknown.id), unknown.token)


class TestWatch:
    async def test_a_revoked_token_is_noticed_and_others_are_not_bothered(self, hub, accounts, clock):
        kept, revoked = hub.sensor(), hub.sensor()
        for sensor in (kept, revoked):
            await accounts.login(str(sensor.id), sensor.token)
        async with watching(accounts, kept, revoked) as refused:
            revoked.token = "rotated"
            clock.now += 4
            await eventually(lambda: refused, "the refusal")
            clock.now += 4
            await eventually(lambda: hub.asked.count(str(kept.id)) == 3, "the next round")
        assert refused == [revoked.id]
        assert hub.asked.count(str(revoked.id)) == 2

    async def test_a_changed_assignment_arrives(self, hub, accounts, clock):
        agent, sensor = hub.agent(), hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        sensor.agent_id = agent.id
        async with watching(accounts, sensor):
            clock.now += 4
            await eventually(lambda: accounts.find(sensor.id).agent_id == agent.id, "the assignment")

    async def test_a_hub_that_is_away_refuses_nobody(self, hub, accounts, clock):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        hub.answer = lambda: web.Response(status=503)
        async with watching(accounts, sensor) as refused:
            clock.now += 4
            await eventually(lambda: len(hub.asked) >= 3, "a second attempt")
            assert refused == []
            hub.answer = None
            sensor.token = "rotated"
            await eventually(lambda: refused == [sensor.id], "the refusal")

    async def test_a_token_renewed_meanwhile_is_not_taken_for_the_old_one(self, hub, accounts, clock):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        asked, renewed = asyncio.Event(), asyncio.Event()

        async def answer():
            hub.answer = None
            asked.set()
            await renewed.wait()
            return web.json_response({"status": 401}, status=401)

        hub.answer = answer
        clock.now += 4
        async with watching(accounts, sensor) as refused:
            await asyncio.wait_for(asked.wait(), 5)
            sensor.token = "renewed"
            await accounts.login(str(sensor.id), "renewed")
            renewed.set()
            clock.now += 4
            await eventually(lambda: len(hub.asked) == 4, "a check of the new token")
        assert refused == []

    async def test_a_refused_login_leads_to_a_look_at_those_already_in(self, hub, accounts, clock):
        sensor = hub.sensor()
        await accounts.login(str(sensor.id), sensor.token)
        old_token, sensor.token = sensor.token, "rotated"
        clock.now += 4
        with pytest.raises(LoginRefused):
            await accounts.login(str(sensor.id), old_token)
        clock.now -= 4  # nobody is due by age
        async with watching(accounts, sensor) as refused:
            await eventually(lambda: refused == [sensor.id], "the refusal")
