"""Figures of platforms are numbers and days, or the answer is none."""

import pytest

from engarde_daemon.adapters.platforms.google_ads.shapes import Batch
from engarde_daemon.adapters.platforms.meta.shapes import Edge, Insight
from engarde_daemon.adapters.platforms.wire import decoded
from engarde_daemon.ports.platforms import PlatformFault, PlatformTrouble


@pytest.mark.parametrize(
    "told",
    [
        b'{"metrics": {"conversionsValue": "NaN"}}',
        b'{"metrics": {"conversions": "Infinity"}}',
        b'{"metrics": {"impressions": "99999999999999999999"}}',
        b'{"segments": {"date": "tomorrow"}}',
    ],
)
def test_google_tells_no_figure_that_is_none(told: bytes):
    """As protocol buffers may write one; the import waits, and the importer lives."""
    with pytest.raises(PlatformFault) as fault:
        decoded(b'[{"results": [%b]}]' % told, list[Batch])

    assert fault.value.trouble is PlatformTrouble.BUSY


@pytest.mark.parametrize(
    "told", [b'"spend": "nan"', b'"date_start": ""', b'"action_values": [{"value": "inf"}]']
)
def test_meta_tells_no_figure_that_is_none(told: bytes):
    """Where numbers come as texts, any text may come."""
    row = b'{"ad_id": "1", "date_start": "2026-01-02", %b}' % told
    with pytest.raises(PlatformFault):
        decoded(b'{"data": [%b]}' % row, Edge[Insight])


def test_a_correction_may_be_below_zero():
    """Conversions are taken back, too."""
    (batch,) = decoded(
        b'[{"results": [{"metrics": {"conversions": -1.5, "costMicros": "-20"}}]}]', list[Batch]
    )

    assert (batch.results[0].metrics.conversions, batch.results[0].metrics.cost_micros) == (
        -1.5,
        -20,
    )
