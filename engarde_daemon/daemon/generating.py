"""Everything between a wish for content and a model, put together from the settings."""

import random
import time
from collections.abc import Mapping
from datetime import UTC, datetime

from actors.examiner.actor import Examiner
from actors.foreman.actor import Foreman, JobRules
from actors.forwarder import messages as forwarder
from actors.forwarder.actor import Forwarder, ForwarderPace
from actors.forwarder.errands import Errands
from actors.forwarder.results import Results
from actors.generation.actor import Generation, Pace
from actors.generation.bulletin import Bulletin
from actors.generation.calling import Caller
from actors.generation.credentials import Credentials
from actors.generation.messages import Tidy, Wake
from actors.generation.outcomes import Payments
from actors.ingest.messages import IngestMessage
from actors.scribe.actor import Scribe
from actors.shelver.actor import Shelver
from actors.shelver.twins import Twins
from engarde_daemon.adapters.http import Calls, Gate
from engarde_daemon.adapters.llm.house import HouseOfModels, ProviderSite
from engarde_daemon.adapters.llm.prices import ListedPrices
from engarde_daemon.adapters.postgres.batches import PostgresBatchBench
from engarde_daemon.adapters.postgres.generation import PostgresJobBook, PostgresWorkBench
from engarde_daemon.adapters.postgres.job_library import PostgresJobLibrary
from engarde_daemon.adapters.postgres.sessions import Sessions
from engarde_daemon.adapters.secrets import EnvelopeBox
from engarde_daemon.adapters.twins import sign
from engarde_daemon.api.app import GenerationServices
from engarde_daemon.api.fence import Fence
from engarde_daemon.api.generation.credentials import CredentialDesk
from engarde_daemon.api.generation.desk import JobDesk
from engarde_daemon.api.generation.following import Following
from engarde_daemon.api.generation.planning import Planner
from engarde_daemon.config import Settings
from engarde_daemon.core import Address, Supervisor
from engarde_daemon.daemon.identifiers import new_id
from engarde_daemon.daemon.telemetry import Instruments
from engarde_daemon.daemon.telling import Telling
from engarde_daemon.daemon.waking import wake
from engarde_daemon.domain.plans import Plan
from engarde_daemon.ports.batches import BATCH_KINDS
from engarde_daemon.ports.content import ContentLibrary
from engarde_daemon.ports.models import ModelHouse, ProviderRules
from engarde_daemon.ports.register import RegisterReader

WRITE_TIMEOUT_S = 20.0


class Generating:
    """Adds the actors of generation to the tree, and gives the edge what it needs of them."""

    def __init__(
        self,
        settings: Settings,
        sessions: Sessions,
        pipelines: Supervisor,
        *,
        plans: Mapping[str, Plan],
        box: EnvelopeBox,
        telling: Telling,
        ingest: Address[IngestMessage],
        instruments: Instruments,
    ) -> None:
        self._settings = settings.generation
        self._instruments = instruments
        self._plans = plans
        self._box = box
        self._happened = telling.happened
        self._hub = telling.hub
        self._gate = telling.gate
        self._writers = sessions.writers
        self._providers = _rules_of(settings)
        self._prices = ListedPrices()
        self._bulletin = Bulletin()
        self._bench = PostgresWorkBench(sessions.writers, plans)
        self._book = PostgresJobBook(sessions.writers, plans)
        self._jobs = PostgresJobLibrary(sessions.readers)
        self._payments = Payments(self._prices, self._providers, sign)
        self._scribe = pipelines.add("scribe", lambda: Scribe(self._bench), capacity=1024)
        self._shelver = pipelines.add(
            "shelver", lambda: Shelver(self._bench, ingest, Twins(self._bench)), capacity=1024
        )
        self._generation = pipelines.add(
            "generation", self._make_generation, capacity=8, grace_s=self._pace.grace_s + 5
        )
        self._forwarder = pipelines.add("forwarder", self._make_forwarder, capacity=8)
        self._examiner = pipelines.add("examiner", lambda: Examiner(self._house()), capacity=16)
        self.foreman = pipelines.add("foreman", self._make_foreman, capacity=64)

    def services(
        self, fence: Fence, register: RegisterReader, library: ContentLibrary
    ) -> GenerationServices:
        """What the application needs."""
        planner = Planner(
            register=register,
            jobs=self._jobs,
            library=library,
            prices=self._prices,
            providers=self._providers,
            plans=self._plans,
            default_model=self._settings.default_model,
            hold_s=self._settings.job_timeout_s,
            now=lambda: datetime.now(UTC),
        )
        return GenerationServices(
            jobs=JobDesk(
                foreman=self.foreman,
                jobs=self._jobs,
                planner=planner,
                fence=fence,
                new_id=new_id,
                timeout_s=WRITE_TIMEOUT_S,
            ),
            credentials=CredentialDesk(
                foreman=self.foreman,
                examiner=self._examiner,
                jobs=self._jobs,
                providers=self._providers,
                url_fault=self._gate.fault,
                timeout_s=WRITE_TIMEOUT_S,
            ),
            following=Following(jobs=self._jobs, bulletin=self._bulletin, hub=self._hub),
        )

    @property
    def _pace(self) -> Pace:
        given = self._settings
        return Pace(places=given.concurrency, lease_s=given.lease_s, poll_s=given.poll_s)

    def _make_generation(self) -> Generation:
        house = self._house()
        credentials = self._credentials(self._instruments.models(house))
        caller = Caller(
            credentials=credentials,
            payments=self._payments,
            bulletin=self._bulletin,
            random=random.random,
        )
        return Generation(
            bench=self._bench,
            caller=caller,
            credentials=credentials,
            house=house,
            scribe=self._scribe,
            shelver=self._shelver,
            bulletin=self._bulletin,
            happened=self._happened,
            pace=self._pace,
        )

    def _make_forwarder(self) -> Forwarder:
        house, bench = self._house(), PostgresBatchBench(self._writers)
        credentials = self._credentials(house)
        results = Results(
            bench=bench,
            payments=self._payments,
            credentials=credentials,
        )
        errands = Errands(
            bench=bench,
            credentials=credentials,
            house=house,
            results=results,
            changed=lambda: wake(self._generation, Tidy()),
            poll_s=self._settings.batch_poll_s,
        )
        return Forwarder(
            bench=bench,
            errands=errands,
            house=house,
            providers=[n for n, rules in self._providers.items() if rules.kind in BATCH_KINDS],
            new_id=new_id,
            pace=ForwarderPace(lease_s=self._settings.lease_s, poll_s=self._settings.poll_s),
        )

    def _credentials(self, house: ModelHouse) -> Credentials:
        return Credentials(
            bench=self._bench,
            box=self._box,
            house=house,
            providers=self._providers,
            clock=time.monotonic,
        )

    def _house(self) -> HouseOfModels:
        given = self._settings
        sites = {
            name: ProviderSite(kind=one.kind, base_url=one.base_url, dialect=one.dialect)
            for name, one in given.providers.items()
        }
        own = Calls(Gate(allow_private=True), connections=given.concurrency)
        guarded = Calls(self._gate, connections=given.concurrency)
        return HouseOfModels(sites, own=own, guarded=guarded, timeout_s=given.call_timeout_s)

    def _make_foreman(self) -> Foreman:
        rules = JobRules(
            jobs_max=self._settings.jobs_per_tenant, hold_s=self._settings.job_timeout_s
        )
        return Foreman(
            self._book,
            self._box,
            rules=rules,
            now=lambda: datetime.now(UTC),
            changed=self._look,
        )

    def _look(self) -> None:
        wake(self._generation, Wake())
        wake(self._forwarder, forwarder.Wake())


def _rules_of(settings: Settings) -> dict[str, ProviderRules]:
    return {
        name: ProviderRules(
            kind=given.kind,
            needs_key=given.kind in {"openai", "anthropic"},
            concurrency=given.concurrency,
            requests_per_min=given.requests_per_min,
            tokens_per_min=given.tokens_per_min,
        )
        for name, given in settings.generation.providers.items()
    }
