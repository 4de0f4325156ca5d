"""What the embedded broker's settings refuse in production."""

import pytest

from broker.settings import BrokerSettings


@pytest.mark.parametrize("host", ["0.0.0.0", "10.0.0.5", "bench.example.com"])  # noqa: S104 - it is refused
def test_it_has_no_tls_and_stays_at_home(host):
    with pytest.raises(ValueError, match="ETP_MQTT_HOST"):
        BrokerSettings.model_validate({"env": "production", "mqtt_host": host})
    assert BrokerSettings.model_validate({"mqtt_host": host})


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_at_home_it_is_taken(host):
    assert BrokerSettings.model_validate({"env": "production", "mqtt_host": host})
