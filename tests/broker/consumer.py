"""A persistent consumer to be killed: writes each message's payload to a file, then acknowledges it."""

import os
import sys

from paho.mqtt.client import CallbackAPIVersion, Client

from contract import topics


def main(port: str, agent_id: str, token: str, path: str) -> None:
    file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    client = Client(CallbackAPIVersion.VERSION2, client_id=agent_id, clean_session=False, manual_ack=True)
    client.username_pw_set(agent_id, token)

    def on_message(_client, _data, message) -> None:
        os.write(file, message.payload + b"\n")
        client.ack(message.mid, message.qos)

    client.on_connect = lambda *_: client.subscribe(topics.TELEMETRY_FILTER, qos=1)
    client.on_message = on_message
    client.connect("127.0.0.1", int(port))
    client.loop_forever()


main(*sys.argv[1:])
