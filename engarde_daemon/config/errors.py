"""The one way a configuration is refused: with everything that is wrong with it."""

from collections.abc import Sequence


class ConfigurationError(Exception):
    """The configuration is wrong; `problems` names every fault, and no value, as one may be secret."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("The configuration is wrong:\n  " + "\n  ".join(problems))
        self.problems = tuple(problems)
