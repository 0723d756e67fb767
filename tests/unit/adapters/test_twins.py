"""Pieces that say nearly the same are found, those that do not are left alone."""

from engarde_daemon.adapters.twins import JOBS_MAX, MinHashTwins

TEXT = (
    "Summer is here, and our new tea is the best way to enjoy long warm evenings with friends "
    "on the balcony, in the garden or by the sea."
)
ALIKE = TEXT.replace("the sea", "a lake").upper()
OTHER = (
    "Winter is cold, so stay in bed with a good book and a cup of cocoa until the snow has gone "
    "and the first flowers come out again."
)


def test_a_piece_with_a_few_other_words_is_a_twin():
    """Capitals make no difference; the earlier piece is named."""
    twins = MinHashTwins()

    assert twins.twin_of("job", 1, TEXT) is None
    assert twins.twin_of("job", 2, OTHER) is None
    assert twins.twin_of("job", 3, ALIKE) == 1


def test_a_piece_is_no_twin_of_itself_or_of_another_job():
    """An item that is judged again after a crash must pass."""
    twins = MinHashTwins()
    twins.twin_of("job", 1, TEXT)

    assert twins.twin_of("job", 1, TEXT) is None
    assert twins.twin_of("another", 2, TEXT) is None


def test_texts_without_words_can_be_compared():
    """Three emojis are a piece, too."""
    twins = MinHashTwins()

    assert twins.twin_of("job", 1, "!!!") is None


def test_old_jobs_are_forgotten():
    """Memory is bounded."""
    twins = MinHashTwins()
    twins.twin_of("old", 1, TEXT)
    for number in range(JOBS_MAX):
        twins.twin_of(f"job {number}", 1, OTHER)

    assert twins.twin_of("old", 2, TEXT) is None
