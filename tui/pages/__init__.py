"""The pages of the dashboard."""

from tui.page import Page
from tui.pages.events import Events
from tui.pages.jobs import Jobs
from tui.pages.log import Log
from tui.pages.overview import Overview
from tui.pages.queues import Queues
from tui.pages.recovery import Recovery
from tui.pages.replication import Replication
from tui.pages.tenants import Tenants

ALL: dict[str, type[Page]] = {
    page.NAME: page
    for page in (Overview, Queues, Tenants, Jobs, Replication, Recovery, Events, Log)
}
"""Every page by its name, in the order of their keys."""
