"""The limits of tokens: requests of a sensor over POST, samples of sensors and edge agents over all other ways."""

import math

from contract.samples import Packet
from hub.kit.allowances import Allowances, Draw
from hub.kit.context import Context
from hub.kit.problems import TooManyRequests
from hub.telemetry.problems import TooManySamples
from hub.telemetry.registry import Device


async def count_request(ctx: Context, device: Device) -> None:
    """Count a request; raises TooManyRequests. An edge agent's requests are as many as it likes."""
    for sensor in device.sensors.values() if device.kind == "sensor" else ():
        verdict = await ctx.hub.limits.take_one(sensor.requests_key, sensor.requests)
        ctx.arrival.allowance = (sensor.requests, verdict)
        if not verdict.allowed:
            raise TooManyRequests(max(1, math.ceil(verdict.wait_s)), *sensor.requests)


def count_samples(allowances: Allowances, packet: Packet, device: Device) -> None:
    """Count the samples of a packet for its sender and for each of its sensors; raises TooManySamples.

    Then nothing is counted, and nothing may be taken: an edge agent keeps its batch whole until all of it may pass.
    """
    find = device.find
    known = [(sensor, series) for series in packet.series if (sensor := find(series.sensor_id)) is not None]
    draws: list[Draw] = [(sensor.key, sensor.samples, len(series.raw)) for sensor, series in known]
    if device.samples is not None:
        draws.append((device.key, device.samples, packet.count))
    refusal = allowances.draw_all(draws)
    if refusal is None:
        return
    _, rate, _ = draws[refusal.place]
    if refusal.place == len(known):
        raise TooManySamples(refusal.wait_s, rate.per_s, "this edge agent", sorted({sensor.no for sensor, _ in known}))
    sensor, _ = known[refusal.place]
    raise TooManySamples(refusal.wait_s, rate.per_s, f"sensor {sensor.id}", [sensor.no])
