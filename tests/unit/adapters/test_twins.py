"""Signatures of texts that say nearly the same are alike, those of others are not."""

from engarde_daemon.adapters.twins import sign
from engarde_daemon.domain.twins import SIGNATURE_BYTES, Answers, SignedAnswer

TEXT = (
    "Summer is here, and our new tea is the best way to enjoy long warm evenings with friends "
    "on the balcony, in the garden or by the sea."
)
ALIKE = TEXT.replace("the sea", "a lake").upper()
OTHER = (
    "Winter is cold, so stay in bed with a good book and a cup of cocoa until the snow has gone "
    "and the first flowers come out again."
)
SIGNED = (
    "f306118f9f26894cf08e0f91d22b9cc518864da5615c4203293612a07b80421b"
    "94233195559219a85f047b5c7e265305d6995fac02fc473df10c84e1c5ede66f"
)


def test_a_text_with_a_few_other_words_is_found():
    """Capitals make no difference; a text about something else is left alone."""
    answers = Answers()
    for number, text in enumerate((TEXT, OTHER, ALIKE), start=1):
        answers.add(SignedAnswer("job", number, number, sign(text)))

    assert [answers.twin_of(number) for number in (1, 2, 3)] == [None, None, 1]


def test_a_signature_stays_what_it_is():
    """It is kept in the database: another version must not make others."""
    assert sign("A cup of tea, a good book.").hex() == SIGNED


def test_texts_without_words_can_be_signed():
    """Three exclamation marks are a piece, too."""
    assert len(sign("!!!")) == SIGNATURE_BYTES
