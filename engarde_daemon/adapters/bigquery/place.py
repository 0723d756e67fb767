"""Where in BigQuery the archive is, and how its objects are called there."""

import msgspec

from engarde_daemon.domain.archive_tables import ArchiveTable


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One dataset, and the endpoints through which it is reached where they are not Google's own."""

    project: str
    dataset: str
    location: str = "US"
    endpoint: str = ""
    write_endpoint: str = ""
    anonymous: bool = False

    @property
    def dataset_id(self) -> str:
        """The dataset as the REST client names it."""
        return f"{self.project}.{self.dataset}"

    def table_id(self, name: str) -> str:
        """A table or view as the REST client names it."""
        return f"{self.dataset_id}.{name}"

    def table_path(self, table: ArchiveTable) -> str:
        """A table as the Storage Write API names it."""
        return f"projects/{self.project}/datasets/{self.dataset}/tables/{table.value}"
