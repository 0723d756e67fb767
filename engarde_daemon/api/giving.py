"""How routes get what the composition root gave the application.

Values are trusted as they are: Litestar would otherwise check each one's type at every request.
"""

from typing import TypeAlias, TypeVar

from litestar.di import NamedDependency
from litestar.params import SkipValidation

T = TypeVar("T")

Given: TypeAlias = NamedDependency[SkipValidation[T]]
"""A parameter that is given by its name."""
