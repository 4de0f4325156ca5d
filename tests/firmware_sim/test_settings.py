import pytest

from firmware_sim.settings import DEMO_EMAIL, DEMO_PASSWORD, LoginMissing, Settings, host_and_port


def settings(**values) -> Settings:
    return Settings(_env_file=None, **values)


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "DATA_DIR",
        "HTTP_PORT",
        "MQTT_PORT",
        "HUB_URL",
        "MQTT_URL",
        "DEMO",
        "ENV",
        "OWNER_EMAIL",
        "OWNER_PASSWORD",
    ):
        monkeypatch.delenv(f"ETP_{name}", raising=False)


def test_the_demos_login_is_the_default():
    assert settings().login(None, None) == (DEMO_EMAIL, DEMO_PASSWORD)
    assert settings(owner_email="a@example.com", owner_password="p").login(None, None) == ("a@example.com", "p")
    assert settings(owner_password="p").login("b@example.com", None) == ("b@example.com", "p")


@pytest.mark.parametrize(
    ("values", "email"), [({"demo": False}, None), ({"env": "production"}, None), ({}, "someone@example.com")]
)
def test_without_a_demo_a_login_must_be_given(values, email):
    with pytest.raises(LoginMissing, match="--email and --password"):
        settings(**values).login(email, None)


def test_ports_and_urls_name_the_system(monkeypatch):
    assert (settings(http_port=8099).hub, settings(mqtt_port=1999).mqtt) == ("http://127.0.0.1:8099", "127.0.0.1:1999")
    monkeypatch.setenv("ETP_HUB_URL", "https://lab.example")
    monkeypatch.setenv("ETP_MQTT_URL", "mqtt://broker:1884")
    assert settings().hub == "https://lab.example"
    assert host_and_port(settings().mqtt) == ("broker", 1884)


@pytest.mark.parametrize(
    ("text", "address"), [("rig", ("rig", 1883)), ("rig:99", ("rig", 99)), ("mqtt://[::1]:99/", ("::1", 99))]
)
def test_addresses_of_brokers(text, address):
    assert host_and_port(text) == address
