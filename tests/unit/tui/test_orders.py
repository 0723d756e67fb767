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
    assert orders.cancel_recovery("a/b?c").path == "/api/admin/recovery/a%2Fb%3Fc/cancel"
