"""Publishes samples of many sensors at QoS 1, as fast as Mosquitto acknowledges or at a steady pace."""

import sys
import threading
import time
from uuid import UUID

import msgspec
from paho.mqtt.client import Client
from paho.mqtt.enums import CallbackAPIVersion

from bench.client import READY
from bench.mosquitto import PUBLISHER
from contract import topics

_IN_FLIGHT = 2000


class Plan(msgspec.Struct):
    """What to publish: messages of `samples` each, the sensors in turn; per_s 0 is as fast as it goes."""

    port: int
    sensors: list[UUID]
    messages: int
    samples: int
    per_s: float = 0.0


class Report(msgspec.Struct):
    """How long it took until the last message was acknowledged."""

    took_s: float


def main() -> None:
    """Read the plan, connect, wait for the word, publish."""
    plan = msgspec.json.decode(sys.stdin.readline(), type=Plan)
    slots = threading.Semaphore(_IN_FLIGHT)

    def acknowledged(*_: object) -> None:
        slots.release()

    client = Client(CallbackAPIVersion.VERSION2, client_id=PUBLISHER[0])
    client.username_pw_set(*PUBLISHER)
    client.max_inflight_messages_set(_IN_FLIGHT)
    client.on_publish = acknowledged
    client.connect("127.0.0.1", plan.port)
    client.loop_start()
    names = [topics.telemetry(sensor) for sensor in plan.sensors]
    print(READY, flush=True)
    sys.stdin.readline()
    began = time.monotonic()
    for number in range(plan.messages):
        if plan.per_s:
            time.sleep(max(0.0, began + number / plan.per_s - time.monotonic()))
        slots.acquire()
        client.publish(names[number % len(names)], _body(plan, number), qos=1)
    for _ in range(_IN_FLIGHT):
        slots.acquire()
    print(msgspec.json.encode(Report(time.monotonic() - began)).decode(), flush=True)
    client.disconnect()


def _body(plan: Plan, number: int) -> bytes:
    now = time.time()
    samples = [{"t": round(now + i / 1000, 6), "v": number / 7 + i} for i in range(plan.samples)]
    return msgspec.json.encode({"seq": number // len(plan.sensors), "boot": "b", "samples": samples})


if __name__ == "__main__":
    main()
