"""Cases in which a daemon dies at a failpoint: what is done until then, and what must be so after.

Owns one case for each failpoint, which a test of the catalogue demands. A case is given a site and
the seeded chance from which all its choices follow, and raises AssertionError where the daemon
broke a promise; so a case can be played on a mutant, too, and must raise there.
"""

from collections.abc import Mapping

from tests.faults.killing.carrying import carry
from tests.faults.killing.chores import erase, publish, restore
from tests.faults.killing.generating import generate
from tests.faults.killing.importing import take_assets_in
from tests.faults.killing.site import Case
from tests.faults.killing.uploading import upload

CASES: Mapping[str, Case] = {
    "ingest.before_commit": carry,
    "ingest.after_commit": carry,
    "delivery.after_claim": carry,
    "delivery.between_collections": carry,
    "delivery.after_put": carry,
    "replicator.after_freeze": carry,
    "replicator.after_append": carry,
    "replicator.after_finish": carry,
    "generation.after_answer": generate,
    "generation.after_receipt": generate,
    "shelver.after_write": generate,
    "custodian.after_intent": upload,
    "custodian.after_store": upload,
    "custodian.after_keep": upload,
    "ledger.after_apply": upload,
    "steward.after_publish": publish,
    "steward.before_removal": erase,
    "importer.before_note": take_assets_in,
    "recovery.before_page": restore,
}
