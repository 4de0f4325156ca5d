"""What an edge agent's settings refuse in production."""

from uuid import uuid4

import pytest

from edge.settings import EdgeSettings

AGENT = {"edge_agent_id": uuid4(), "edge_token": "etpe_x"}
FAR = {"hub_url": "https://lab.example.com", "mqtt_url": "mqtts://broker.example.com"}


@pytest.mark.parametrize(
    ("name", "value"), [("hub_url", "http://lab.example.com"), ("mqtt_url", "mqtt://broker.example.com")]
)
def test_a_token_never_leaves_this_machine_in_clear(name, value):
    with pytest.raises(ValueError, match="ETP_" + name.upper()):
        EdgeSettings.model_validate({**AGENT, **FAR, "env": "production", name: value})
    assert EdgeSettings.model_validate({**AGENT, **FAR, name: value})


@pytest.mark.parametrize("there", [FAR, {}, {"hub_url": "http://127.0.0.1:8080", "mqtt_url": "mqtt://localhost"}])
def test_encrypted_or_at_home_is_taken(there):
    assert EdgeSettings.model_validate({**AGENT, **there, "env": "production"})
