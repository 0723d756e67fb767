"""A service account that lacks permissions: what its administrator is told."""

import pytest

from engarde_daemon.adapters.bigquery.archive import opened
from engarde_daemon.adapters.bigquery.place import Place
from engarde_daemon.adapters.bigquery.writer import WritePace
from engarde_daemon.domain.errors import Denied, Unavailable
from tests.integration.bigquery.archives import PATIENT
from tests.support.denying_bigquery import DATASET, PROJECT, denying_bigquery

EDITOR, JOBS = "roles/bigquery.dataEditor", "roles/bigquery.jobUser"


async def prepare(endpoint: str) -> None:
    """What the daemon does at its start."""
    place = Place(project=PROJECT, dataset=DATASET, endpoint=endpoint, anonymous=True)
    async with opened(place, bounds=PATIENT, pace=WritePace()) as archive:
        await archive.prepare()


@pytest.mark.parametrize(
    ("permission", "role"),
    [
        ("bigquery.datasets.get", EDITOR),
        ("bigquery.tables.get", EDITOR),
        ("bigquery.tables.create", EDITOR),
        ("bigquery.tables.getData", EDITOR),
        ("bigquery.tables.updateData", EDITOR),
        ("bigquery.tables.update", EDITOR),
        ("bigquery.jobs.create", JOBS),
    ],
)
async def test_a_missing_permission_is_named_with_the_role_that_has_it(permission: str, role: str):
    """Before any row is written, and without Google's own words."""
    with denying_bigquery(permission) as endpoint, pytest.raises(Denied) as denied:
        await prepare(endpoint)

    assert f"BigQuery denies {permission} on {PROJECT}.{DATASET}" in denied.value.detail
    assert role in denied.value.detail
    assert "Access Denied" not in denied.value.detail


async def test_all_that_is_missing_on_the_tables_is_named_at_once():
    """One visit to the console is enough."""
    missing = ("bigquery.tables.getData", "bigquery.tables.updateData")
    with denying_bigquery(*missing) as endpoint, pytest.raises(Denied) as denied:
        await prepare(endpoint)

    assert all(permission in denied.value.detail for permission in missing)


async def test_a_dataset_that_may_not_be_made_can_be_made_by_hand():
    """Many projects give nobody the right to make datasets."""
    api = denying_bigquery("bigquery.datasets.create", existing=False)
    with api as endpoint, pytest.raises(Denied) as denied:
        await prepare(endpoint)

    assert "bigquery.datasets.create" in denied.value.detail
    assert "make the dataset by hand" in denied.value.detail


async def test_all_permissions_are_enough():
    """The list of permissions is complete: nothing else is asked for."""
    with denying_bigquery() as endpoint:
        await prepare(endpoint)


async def test_a_dataset_in_another_place_is_told():
    """BigQuery itself would say that there is no such dataset."""
    with denying_bigquery() as endpoint:
        place = Place(
            project=PROJECT, dataset=DATASET, location="EU", endpoint=endpoint, anonymous=True
        )
        async with opened(place, bounds=PATIENT, pace=WritePace()) as archive:
            with pytest.raises(Unavailable, match=r"lies in US: set \[bigquery\] location"):
                await archive.prepare()
