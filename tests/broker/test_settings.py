"""What the embedded broker's settings refuse in production."""

import pytest

from broker.settings import BrokerSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "bench.example.com"])  # noqa: S104 - it is refused
def test_it_has_no_tls_and_stays_at_home(host):
    with pytest.raises(ValueError, match="ETP_MQTT_HOST"):
        BrokerSettings.model_validate({"env": "production", "mqtt_host": host})
    assert BrokerSettings.model_validate({"mqtt_host": host})


@pytest.mark.parametrize("url", ["http://lab.example.com", "http://10.0.0.5:8080"])
def test_tokens_never_leave_this_machine_in_clear(url):
    with pytest.raises(ValueError, match="ETP_HUB_URL"):
        BrokerSettings.model_validate({"env": "production", "hub_url": url})
    assert BrokerSettings.model_validate({"hub_url": url})


@pytest.mark.parametrize("url", [None, "http://127.0.0.1:8080", "http://localhost", "https://lab.example.com"])
def test_encrypted_or_at_home_is_taken(url):
    assert BrokerSettings.model_validate({"env": "production", "hub_url": url})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_at_home_it_is_taken(host):
    assert BrokerSettings.model_validate({"env": "production", "mqtt_host": host})
