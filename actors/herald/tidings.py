"""Of whom there are news."""

from collections.abc import Iterable


class Tidings:
    """The tenants for whom something was written since the herald last looked."""

    def __init__(self) -> None:
        self._tenants: set[str] = set()

    def note(self, tenant_ids: Iterable[str]) -> None:
        """Remember that there are news of these."""
        self._tenants.update(tenant_ids)

    def take(self) -> list[str]:
        """Give them out, once."""
        tenants, self._tenants = list(self._tenants), set()
        return tenants
