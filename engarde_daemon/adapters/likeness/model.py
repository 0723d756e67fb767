"""The small language model that turns a text into a vector, on this machine and without a network.

Owns the meaning of a vector: WordLlama's 256 dimensions, of length 1, each in a signed byte. Vectors
of another model cannot be compared with these, so the model's name is kept beside them.
"""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from engarde_daemon.domain.errors import Unavailable

MODEL = "wordllama l2_supercat 256"
DIMENSIONS = 256
CHARACTERS_MAX = 8_000
"""What of a text is looked at: a piece of marketing says early what it is about."""

_SCALE = 127


class WordModel:
    """Embeds texts; loads itself at the first one, about half a second and 60 MB."""

    def embed(self, texts: Sequence[str]) -> list[bytes]:
        """One vector a text, as signed bytes; blocks for about a millisecond per 1,000 characters."""
        vectors = self._model.embed([text[:CHARACTERS_MAX] for text in texts], norm=True)
        return [row.tobytes() for row in (vectors * _SCALE).round().astype("int8")]

    @cached_property
    def _model(self) -> Any:
        import wordllama  # noqa: PLC0415 - an extra, and slow to import

        # WordLlama 0.4.0 looks for its own tokenizer file in the wrong folder of its package.
        here = Path(wordllama.__file__).parent
        return wordllama.WordLlama.load(cache_dir=here, disable_download=True)


def require_extra() -> None:
    """Find out early whether the extra is installed.

    Raises:
        Unavailable: It is not.
    """
    try:
        import apsw  # noqa: F401, PLC0415 - an extra
        import sqlite_vec  # noqa: F401, PLC0415 - an extra
        import wordllama  # noqa: F401, PLC0415 - an extra
    except ImportError as error:
        raise Unavailable(
            "[search] semantic = true needs packages that are not installed: "
            "pip install 'engarde-daemon[semantic]'."
        ) from error
