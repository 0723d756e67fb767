"""A secret opens for its purpose, with its key, unharmed, and in no other case."""

import base64
import os
import stat
from pathlib import Path

import pytest

from engarde_daemon.adapters.secrets import KEY_BYTES, EnvelopeBox, load_keys
from engarde_daemon.domain.errors import Corrupt, Rejected
from engarde_daemon.ports.secrets import Purpose

OURS = Purpose("tenant-1", "webhook 1")
KEY, OTHER_KEY = b"k" * KEY_BYTES, b"o" * KEY_BYTES
SECRET = "whsec_größe"


def test_what_is_sealed_opens():
    """And does not show what it is."""
    box = EnvelopeBox([KEY], os.urandom)

    sealed = box.seal(SECRET, OURS)

    assert SECRET.encode() not in sealed
    assert box.open(sealed, OURS) == SECRET


def test_the_same_secret_is_sealed_differently_each_time():
    """So that nobody can tell that two are the same."""
    box = EnvelopeBox([KEY], os.urandom)

    assert box.seal(SECRET, OURS) != box.seal(SECRET, OURS)


def test_keys_change_while_it_is_used():
    """A new key seals from then on; the old one opens as long as it is still given."""
    box = EnvelopeBox([KEY], os.urandom)
    sealed = box.seal(SECRET, OURS)

    box.adopt([OTHER_KEY, KEY])
    assert box.open(sealed, OURS) == SECRET
    assert box.seal(SECRET, OURS)[:9] != sealed[:9]

    box.adopt([OTHER_KEY])
    with pytest.raises(Corrupt, match="key_file"):
        box.open(sealed, OURS)


@pytest.mark.parametrize(
    "purpose",
    [
        Purpose("tenant-2", "webhook 1"),
        Purpose("tenant-1", "webhook 2"),
        Purpose("tenant-1webhook 1", ""),
        Purpose("", "tenant-1webhook 1"),
    ],
)
def test_it_does_not_open_for_another_purpose(purpose: Purpose):
    """A row that is copied to another tenant is of no use there."""
    box = EnvelopeBox([KEY], os.urandom)

    with pytest.raises(Corrupt):
        box.open(box.seal(SECRET, OURS), purpose)


def test_no_changed_byte_goes_unnoticed():
    """Wherever it is."""
    box = EnvelopeBox([KEY], os.urandom)
    sealed = box.seal(SECRET, OURS)

    for place in range(len(sealed)):
        changed = bytearray(sealed)
        changed[place] ^= 1
        with pytest.raises(Corrupt):
            box.open(bytes(changed), OURS)


def test_no_part_of_it_opens():
    """However much is missing."""
    box = EnvelopeBox([KEY], os.urandom)
    sealed = box.seal(SECRET, OURS)

    for length in range(len(sealed)):
        with pytest.raises(Corrupt):
            box.open(sealed[:length], OURS)


def test_a_new_key_opens_what_an_older_one_sealed():
    """As long as the older one is still there."""
    sealed = EnvelopeBox([KEY], os.urandom).seal(SECRET, OURS)

    assert EnvelopeBox([OTHER_KEY, KEY], os.urandom).open(sealed, OURS) == SECRET
    with pytest.raises(Corrupt, match="key_file"):
        EnvelopeBox([OTHER_KEY], os.urandom).open(sealed, OURS)


def test_the_first_key_seals():
    """So that the older ones can go one day."""
    sealed = EnvelopeBox([OTHER_KEY, KEY], os.urandom).seal(SECRET, OURS)

    assert EnvelopeBox([OTHER_KEY], os.urandom).open(sealed, OURS) == SECRET


def test_the_first_start_makes_a_key_for_its_owner_alone(tmp_path: Path):
    """And later ones find it."""
    file = tmp_path / "data" / "secrets.key"

    made = load_keys(file, os.urandom, make=True)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert load_keys(file, os.urandom, make=True) == made
    assert len(made[0]) == KEY_BYTES


def test_a_key_file_that_is_named_must_be_there(tmp_path: Path):
    """A new key in its place would open nothing that was sealed before."""
    with pytest.raises(Rejected, match="key_file"):
        load_keys(tmp_path / "secrets.key", os.urandom, make=False)


@pytest.mark.parametrize("text", ["", "no key", "c2hvcnQ=", "\u00e4" * 44])
def test_a_file_with_something_else_is_refused(tmp_path: Path, text: str):
    """And the refusal says how a key is made."""
    file = tmp_path / "secrets.key"
    file.write_text(text)

    with pytest.raises(Rejected, match="openssl rand -base64 32"):
        load_keys(file, os.urandom, make=True)


def test_each_line_is_a_key(tmp_path: Path):
    """In the order of the lines."""
    file = tmp_path / "secrets.key"
    file.write_text("\n".join(base64.b64encode(key).decode() for key in (OTHER_KEY, KEY)))

    assert load_keys(file, os.urandom, make=False) == [OTHER_KEY, KEY]
