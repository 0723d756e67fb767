"""What an administrator reads when a permission is missing."""

import pytest

from engarde_daemon.adapters.bigquery.denials import ROLES, denied, permission_in


@pytest.mark.parametrize(
    ("message", "permission"),
    [
        (
            "Access Denied: Project p: User does not have bigquery.jobs.create permission in p.",
            "bigquery.jobs.create",
        ),
        (
            "Access Denied: Table p:d.t: Permission bigquery.tables.get denied on table p:d.t.",
            "bigquery.tables.get",
        ),
        (
            "Permission 'TABLES_UPDATE_DATA' denied on resource 'projects/p/datasets/d/tables/t'",
            "bigquery.tables.updateData",
        ),
        ("Access Denied: Table p:d.t: User does not have permission to query table", "asked for"),
    ],
)
def test_the_permission_is_found_in_googles_words(message: str, permission: str):
    """Where they name none it is the one that the call needed."""
    assert permission_in(message, otherwise="asked for") == permission


@pytest.mark.parametrize("permission", ROLES)
def test_every_permission_comes_with_a_role(permission: str):
    """Nobody gives permissions; roles are what can be given."""
    text = denied([permission], project="p", dataset="d").detail

    assert permission in text
    assert "roles/bigquery." in text


def test_what_google_says_beside_it_is_not_passed_on():
    """An unknown permission is named, and the role that most likely has it."""
    text = denied(["bigquery.models.create"], project="p", dataset="d").detail

    assert "bigquery.models.create on p.d" in text
    assert "roles/bigquery.dataEditor" in text
