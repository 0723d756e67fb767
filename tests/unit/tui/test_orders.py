"""What is asked before an order is sent."""

import pytest

from tui import orders
from tui.orders import Order


@pytest.mark.parametrize(
    "order", [orders.fail_over(), orders.fail_back(), orders.restore(), orders.migrate()]
)
def test_what_changes_where_content_is_must_be_typed(order: Order):
    """No slip of a finger does it."""
    assert order.typed
    assert order.effect


def test_an_id_cannot_lead_to_another_route():
    """Ids come from outside."""
    assert orders.pause("../quota").path == "/api/admin/actors/..%2Fquota/pause"
    assert orders.cancel_job("import", "a/b?c").path == "/api/admin/jobs/a%2Fb%3Fc/cancel"
    assert orders.retry_job("../x").path == "/api/admin/jobs/..%2Fx/retry"


@pytest.mark.parametrize("kind", ["generation", "import", "restore", "verify", "migrate"])
def test_jobs_of_every_kind_and_tenant_are_ended_by_the_operators_route(kind: str):
    """The tenants' own routes know only the tenant of the key."""
    assert orders.cancel_job(kind, "7d1f").path == "/api/admin/jobs/7d1f/cancel"


def test_who_cancels_a_job_reads_which_one():
    """The list may have moved under the cursor since it was looked at."""
    assert orders.cancel_job("import", "5c02").title == "Cancel import job 5c02"
