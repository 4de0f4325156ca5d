"""The limits of tokens: requests of a sensor over POST, samples of sensors and edge agents over all other ways."""

import math

from contract.samples import Packet
from hub.kit.allowances import Allowances
from hub.kit.context import Context
from hub.kit.limits import Rate
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
    drawn: list[tuple[str, Rate, int]] = []
    if device.samples is not None:
        wait_s = allowances.draw(device.key, device.samples, packet.count)
        if wait_s:
            concerned = {sensor.no for each in packet.series if (sensor := device.find(each.sensor_id)) is not None}
            raise TooManySamples(wait_s, device.samples.per_s, "this edge agent", sorted(concerned))
        drawn.append((device.key, device.samples, packet.count))
    for series in packet.series:
        sensor = device.find(series.sensor_id)
        if sensor is None:
            continue
        count = len(series.raw)
        wait_s = allowances.draw(sensor.key, sensor.samples, count)
        if wait_s:
            for key, rate, cost in drawn:
                allowances.draw(key, rate, -cost)
            raise TooManySamples(wait_s, sensor.samples.per_s, f"sensor {sensor.id}", [sensor.no])
        drawn.append((sensor.key, sensor.samples, count))
