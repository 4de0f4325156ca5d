"""Secrets never stand in a log: by the name of a value, by what a text looks like, however deep they lie."""

import string
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract.masking import MASK, is_secret, mask, mask_text

JWT = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl"


class TestNames:
    @pytest.mark.parametrize(
        "name",
        [
            *(
                "password",
                "old_password",
                "password_hash",
                "ETP_OWNER_PASSWORD",
                "otp",
                "X-OTP",
                "secret",
                "clientSecret",
            ),
            *("Authorization", "Proxy-Authorization", "Cookie", "Set-Cookie", "cookies", "token", "refresh_token"),
            *("accessToken", "tokens", "code", "invite_code", "recovery_codes", "api_key", "private-key", "jwt"),
        ],
    )
    def test_secret(self, name: str) -> None:
        assert is_secret(name)

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "",
                "event",
                "name",
                "status",
                "status_code",
                "credential_id",
                "token_id",
                "edge_token_file",
                "token_type",
            ),
            *("secret_key_file", "otp_attempts", "key", "batch_key", "encoded", "codec", "decoder", "authority"),
        ],
    )
    def test_shown(self, name: str) -> None:
        assert not is_secret(name)


class TestText:
    @pytest.mark.parametrize(
        ("text", "shown"),
        [
            ("etps_Ab-9_x was refused", "etps_*** was refused"),
            ("GET /w?u=etpe_abc&x=1", "GET /w?u=etpe_***&x=1"),
            (f"token {JWT}!", "token eyJ***!"),
            ("Authorization: Bearer abc.def", "Authorization: Bearer ***"),
            ("with basic dXNlcjpwdw== in it", "with basic *** in it"),
            ("postgresql://etp:p@ss@db:5432/etp", "postgresql://etp:***@db:5432/etp"),
            ("redis://:hunter2@cache/0", "redis://:***@cache/0"),
            ("http://127.0.0.1:8080/users/ada@example.com", "http://127.0.0.1:8080/users/ada@example.com"),
            ("/reset?code=abc&next=/", "/reset?code=***&next=/"),
            ("password=hunter2, user=ada", "password=***, user=ada"),
            ("""{"email": "ada", "newPassword": "hunter2"}""", """{"email": "ada", "newPassword": "***"}"""),
            (r"{\"otp\": \"123456\"}", r"{\"otp\": \"***\"}"),
            ("X-OTP: 123456", "X-OTP: ***"),
            ("Cookie: a=b; etp_refresh=c", "Cookie: ***"),
            ("password authentication failed for user etp", "password authentication failed for user etp"),
            ("nothing to hide", "nothing to hide"),
        ],
    )
    def test_is_masked(self, text: str, shown: str) -> None:
        assert mask_text(text) == shown

    @pytest.mark.parametrize(
        "text", ["a-", "eyJ", "://a:", "token", "token-", "password = ", "etps_", "cookie:", "?code"]
    )
    def test_long_text_costs_little(self, text: str) -> None:
        began = time.process_time()
        mask_text("secret " + text * 20_000)
        assert time.process_time() - began < 2


PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20)
SECRET = st.text(string.ascii_letters + string.digits, min_size=12, max_size=40).map(lambda text: "Zq7" + text)
# Every way in which a secret may come into an event.
LEAVES = st.sampled_from(
    [
        lambda secret: f"etps_{secret}",
        lambda secret: f"the token etpr_{secret} is spent",
        lambda secret: f"eyJ{secret}.{secret}.{secret}",
        lambda secret: f"Authorization: Bearer {secret}",
        lambda secret: f"mqtt://edge:{secret}@broker:1883",
        lambda secret: {"password": secret},
        lambda secret: {"headers": {"Cookie": f"a={secret}; b={secret}"}},
        lambda secret: {"refresh_token": [secret]},
        lambda secret: ValueError(f"password={secret}"),
        lambda secret: f"etps_{secret}".encode(),
        lambda secret: {f"etpe_{secret}": 1},
    ]
)


def around(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    names = st.text(max_size=8)
    return (
        st.lists(PLAIN, max_size=2).flatmap(lambda before: inner.map(lambda value: [*before, value]))
        | inner.map(lambda value: (value,))
        | st.tuples(names, inner, names, PLAIN).map(lambda made: {made[2]: made[3], made[0]: made[1]})
    )


@given(SECRET, LEAVES, st.data())
def test_no_secret_comes_through(secret: str, leaf: Any, data: st.DataObject) -> None:
    event = data.draw(st.recursive(st.just(leaf(secret)), around, max_leaves=3))
    masked = mask(event)
    assert secret not in repr(masked)
    assert mask(masked) == masked, "masking again changes nothing"


@given(
    st.recursive(PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3))
)
def test_what_is_no_secret_stays(value: Any) -> None:
    assert mask(value) == value


def test_what_holds_itself_ends() -> None:
    knot: list[Any] = ["password=hunter2"]
    knot.append(knot)
    assert "hunter2" not in repr(mask(knot))
    assert MASK in repr(mask(knot))
