"""Webhooks are signed as the specification says, and tried again on a schedule."""

import base64
import hashlib
import hmac

import pytest

from engarde_daemon.domain.webhooks import JITTER, Schedule, draw_secret, headers_of

DAY_S = 86_400


def test_a_signature_is_the_published_one():
    """The example with which the libraries of Standard Webhooks test themselves."""
    headers = headers_of(
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        b'{"test": 2432232314}',
        at=1614265330,
        secrets=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
    )

    assert headers == {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }


def test_every_secret_signs():
    """Separated by spaces, so that a receiver finds the one it knows."""
    secrets = [draw_secret(lambda n: b"\1" * n), draw_secret(lambda n: b"\2" * n)]

    headers = headers_of("id", b"body", at=7, secrets=secrets)

    expected = [
        base64.b64encode(hmac.new(bytes([n]) * 32, b"id.7.body", hashlib.sha256).digest()).decode()
        for n in (1, 2)
    ]
    assert headers["webhook-signature"] == f"v1,{expected[0]} v1,{expected[1]}"


def test_a_secret_is_256_bits_of_chance():
    """In the form that libraries of the specification take."""
    secret = draw_secret(lambda n: b"\xff" * n)

    assert secret == "whsec_" + base64.b64encode(b"\xff" * 32).decode()


def test_delays_are_read_with_their_units():
    """Seconds, minutes, hours and days."""
    assert Schedule.parse(["5s", "5m", "2h", "1d"]).delays_s == (5, 300, 7200, DAY_S)


@pytest.mark.parametrize(
    ("attempt", "delay_s"), [(1, 5), (2, 300), (3, 7200), (4, None), (9, None)]
)
def test_each_attempt_has_its_delay_and_the_last_has_none(attempt: int, delay_s: int | None):
    """Three delays make four attempts."""
    schedule = Schedule.parse(["5s", "5m", "2h"])

    assert schedule.delay_s(attempt, 0.0) == delay_s
    assert schedule.attempts_max == 4


def test_delays_are_spread():
    """Never shorter, and longer by the jitter at most."""
    schedule = Schedule.parse(["100s"])

    assert schedule.delay_s(1, 0.5) == pytest.approx(100 * (1 + JITTER / 2))


def test_without_delays_nothing_is_tried_again():
    """An operator may want that."""
    assert Schedule.parse([]).delay_s(1, 0.0) is None
