"""The table of all ways in which a route of the API can be asked for a thing by its id.

Owns that a new route is thought about: one without an entry fails the test that walks the table.
"""

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from tests.acceptance.access.belongings import SECRET
from tests.acceptance.content import draft

IN_PATHS = {
    "content_id": "item",
    "key_id": "key",
    "webhook_id": "webhook",
    "media_id": "media",
    "upload_id": "upload",
    "erasure_id": "erasure",
    "space_id": "space",
    "brand_id": "brand",
    "job_id": "job",
    "import_id": "import",
    "tenant_id": "tenant",
}
"""What the names in paths stand for."""
NOBODYS = {
    "version": "1",
    "delivery_id": "1",
    "provider": "openai",
    "name": "delivery",
    "queue": "delivery",
}
"""Numbers within the thing that is named before them, and names that are the same for everyone."""


class Ask(msgspec.Struct, frozen=True):
    """A way to name a thing of a kind, by `$ID` or in the path; `$NEW` is nobody's; `own` is the answer to its owner."""

    kind: str
    own: int = 200
    given: dict[str, Any] = {}


def on(kind: str, own: int = 200, **given: Any) -> Ask:
    """Ask with these parts of a request."""
    return Ask(kind, own, given)


BRAND: dict[str, Any] = {"params": {"brand_id": "$ID"}}
BY_HEADER: dict[str, Any] = {"headers": {"X-Brand-ID": "$ID"}}
SPACE: dict[str, Any] = {"campaign_name": "A", "platform": "meta"}
LATE: dict[str, Any] = {"headers": {"If-Match": '"9"'}}
ORDERS = [
    on("tenant", 403, json={"tenant_id": "$ID"}),
    on("brand", 403, json={"brand_id": "$ID"}),
]
"""Only operators give orders, whoever owns the thing."""
TUS = {"Tus-Resumable": "1.0.0"}
BYTES = TUS | {"Content-Type": "application/offset+octet-stream"}
FORM: dict[str, Any] = {"headers": {"Content-Type": "multipart/form-data; boundary=B"}}
FIELD = '--B\r\nContent-Disposition: form-data; name="%s"\r\n\r\n$ID\r\n'
FILE = '--B\r\nContent-Disposition: form-data; name="file"; filename="a.pdf"\r\n\r\n%PDF-1.7\r\n--B--\r\n'
LINE = '{"id": "%s", "title": "t", "body": "b", "campaign_space_id": %s}\n'

BATCH: dict[str, Any] = {"target_count": 1, "generation_params": {"prompt_template": "Tea"}}
CAMPAIGN = {"platform": "meta", "external_campaign_id": "1"}
DRY: dict[str, Any] = {"params": {"dry_run": "true"}}

FIGURE: dict[str, Any] = {"platform": "meta", "date": "2026-03-01", "clicks": 1}
MATRIX: dict[str, list[Ask]] = {
    "approveGenerationJob": [on("job", 202)],
    "beginUpload": [on("brand", 201, headers=TUS | {"Upload-Length": "9", "X-Brand-ID": "$ID"})],
    "cancelGenerationJob": [on("job")],
    "cancelJob": [on("job", 403)],
    "cancelRecoveryJob": [on("job", 403)],
    "changePlan": [on("tenant", 403, json={"plan": "free"})],
    "continueUpload": [
        on("upload", 204, headers=BYTES | {"Upload-Offset": "0"}, content="%PDF"),
        on("upload", 409, headers=BYTES | {"Upload-Offset": "7"}),
    ],
    "createCampaignSpace": [
        on("brand", 201, json=SPACE | {"brand_id": "$ID"}),
        on("brand", 201, json=SPACE, **BY_HEADER),
    ],
    "createContent": [
        on("brand", 201, json=draft(brand_id="$ID")),
        on("brand", 201, json=draft(), **BY_HEADER),
        on("space", 201, json=draft(campaign_space_id="$ID")),
        on("media", 201, json=draft(media=["$ID"])),
    ],
    "createContentBulk": [
        on("brand", 201, json={"items": [draft(brand_id="$ID")]}),
        on("brand", 201, json={"items": [draft(brand_id="$ID")], "partial": True}),
        on("brand", 201, json={"items": [draft()]}, **BY_HEADER),
        on("space", 201, json={"items": [draft(campaign_space_id="$ID")], "partial": True}),
        on("media", 201, json={"items": [draft(media=["$ID"])], "partial": True}),
    ],
    "createKey": [
        on("brand", 201, json={"role": "viewer", "brand_ids": ["$ID"]}),
        on("brand", 201, json={"role": "viewer", "brand_id": "$ID"}),
    ],
    "createWebhook": [],
    "deleteContent": [
        on("item"),
        on("item", params={"permanent": "true"}),
        on("item", 412, **LATE),
    ],
    "deleteContentBulk": [
        on("item", json={"ids": ["$ID"]}),
        on("brand", 409, json={"filter": {"brand_id": "$ID"}, "confirm": 9999}),
        on("space", json={"filter": {"campaign_space_id": "$ID"}, "confirm": 0}),
    ],
    "deleteMedia": [on("media")],
    "deleteWebhook": [on("webhook", 204)],
    "diffVersions": [
        on("item", params={"against": "2"}),
        on("trashed", params={"against": "2", "trashed": "true"}),
    ],
    "downloadMedia": [
        on("media"),
        on("media", 206, headers={"Range": "bytes=0-9"}),
        on("media", 416, headers={"Range": "bytes=999999-"}),
    ],
    "downloadThumbnail": [on("media")],
    "endUpload": [on("upload", 204, headers=TUS)],
    "exportContent": [on("brand", **BRAND), on("item", params={"after": "$ID"})],
    "failBack": [],
    "failOver": [],
    "followEvents": [on("brand", **BRAND)],
    "followGenerationJob": [on("job"), on("job", headers={"Last-Event-ID": "1"})],
    "generateBatch": [
        on("brand", 202, json=BATCH | {"brand_id": "$ID"}),
        on("brand", 202, json=BATCH, **BY_HEADER),
        on("brand", json=BATCH | {"brand_id": "$ID"}, **DRY),
        on("space", 202, json=BATCH | {"campaign_space_id": "$ID"}),
        on("space", json=BATCH | {"campaign_space_id": "$ID"}, **DRY),
    ],
    "cancelImport": [on("import", 409)],
    "importCampaign": [
        on("space", 409, json=CAMPAIGN),
        on("space", 422, json={"platform": "file"}),
    ],
    "importCampaignFile": [on("space", 202, content='{"id": "1"}')],
    "importContent": [
        on("brand", content=LINE % ("$NEW", "null"), **BRAND),
        on("brand", content=LINE % ("$NEW", "null"), **BY_HEADER),
        on("item", content=LINE % ("$ID", "null")),
        on("space", content=LINE % ("$NEW", '"$ID"')),
    ],
    "listActors": [],
    "listAudit": [
        on("key", params={"principal_id": "$ID"}),
        on("user", params={"user_id": "$ID"}),
    ],
    "listBrands": [],
    "listCampaignSpaces": [on("brand", **BRAND)],
    "listContent": [
        on("brand", **BRAND),
        on("brand", params={"brand_id": "$ID", "search": SECRET, "trashed": "false"}),
        on("brand", params={"brand_id": "$ID", "trashed": "true"}),
        on("brand", **BY_HEADER),
        on("space", params={"campaign_space_id": "$ID"}),
    ],
    "listCredentials": [],
    "listGenerationItems": [on("job"), on("job", params={"state": "stored"})],
    "listGenerationJobs": [on("brand", **BRAND)],
    "listImportItems": [on("import"), on("import", params={"state": "imported"})],
    "listImports": [on("brand", **BRAND)],
    "listJobs": [on("tenant", 403, params={"tenant_id": "$ID"})],
    "listKeys": [],
    "listMedia": [on("brand", **BRAND)],
    "listTenants": [],
    "listVersions": [on("item"), on("trashed", params={"trashed": "true"})],
    "listWebhookDeliveries": [on("webhook")],
    "listWebhooks": [],
    "measureUpload": [on("upload", headers=TUS)],
    "orderMigration": [],
    "orderRestore": ORDERS,
    "orderVerify": ORDERS,
    "pauseActor": [],
    "putAnalytics": [on("item", json={"figures": [FIGURE | {"content_id": "$ID"}]})],
    "putCredential": [],
    "readAnalytics": [
        on("brand", **BRAND),
        on("item", params={"content_id": "$ID"}),
        on("space", params={"campaign_space_id": "$ID", "group_by": "campaign,content"}),
    ],
    "readCampaignSpace": [on("space")],
    "readContent": [on("item"), on("item", 304, headers={"If-None-Match": '"2"'})],
    "readContentAnalytics": [on("item"), on("trashed")],
    "readErasure": [on("erasure")],
    "readGenerationJob": [on("job")],
    "readImport": [on("import")],
    "readMedia": [on("media")],
    "readLog": [],
    "readOverview": [],
    "readQueues": [],
    "readQuota": [],
    "readRecovery": [],
    "readRecoveryJob": [on("job", 403)],
    "readUpload": [on("upload")],
    "readVersion": [on("item"), on("trashed", params={"trashed": "true"})],
    "readVoice": [on("brand"), on("brand", 304, headers={"If-None-Match": "*"})],
    "readWebhook": [on("webhook")],
    "reconcileQuota": [on("tenant", 403)],
    "removeCredential": [],
    "replaceVoice": [on("brand", json={"language": "de"}), on("brand", 412, json={}, **LATE)],
    "restartActor": [],
    "restoreContent": [on("trashed"), on("item", 409)],
    "restoreVersion": [on("item"), on("item", 412, **LATE)],
    "resumeActor": [],
    "retryGenerationJob": [on("job", 409), on("job", 409, json={"max_cost_usd": 5})],
    "retryJob": [on("job", 403)],
    "retryQueue": [],
    "retryWebhookDelivery": [on("webhook", 202)],
    "revokeKey": [on("key")],
    "rotateWebhookSecret": [on("webhook")],
    "setStatusBulk": [
        on("item", json={"ids": ["$ID"], "status": "published"}),
        on(
            "brand",
            409,
            json={"filter": {"brand_id": "$ID"}, "confirm": 9999, "status": "archived"},
        ),
    ],
    "setTagsBulk": [
        on("item", json={"ids": ["$ID"], "add": ["x"]}),
        on("brand", 409, json={"filter": {"brand_id": "$ID"}, "confirm": 9999, "add": ["x"]}),
    ],
    "testWebhook": [on("webhook", 202)],
    "updateContent": [
        on("item", json={"title": "stolen"}),
        on("item", 412, json={"title": "stolen"}, **LATE),
        on("item", 422, json={"title": 5}),
        on("space", json={"campaign_space_id": "$ID"}),
        on("media", json={"media": ["$ID"]}),
    ],
    "updateWebhook": [on("webhook", json={"description": "mine"})],
    "uploadMedia": [
        on("brand", 201, content=FIELD % "brand_id" + FILE, **FORM),
        on("brand", 201, content=FILE, headers=FORM["headers"] | BY_HEADER["headers"]),
        on("item", 201, content=FIELD % "content_id" + FILE, **FORM),
    ],
    "watchFeed": [],
}
"""By operation id: each way in which a thing can be named there."""

PAGED = {
    "listAudit",
    "listCampaignSpaces",
    "listContent",
    "listGenerationItems",
    "listGenerationJobs",
    "listImportItems",
    "listImports",
    "listKeys",
    "listMedia",
    "listVersions",
    "listWebhookDeliveries",
}
MADE: dict[str, dict[str, Any]] = {
    "createCampaignSpace": {"json": SPACE},
    "createContent": {"json": draft()},
    "createContentBulk": {"json": {"items": [draft()]}},
    "createKey": {"json": {"role": "viewer", "brand_ids": ["$ID"]}},
    "createWebhook": {"json": {"url": "http://127.0.0.1:9/"}},
    "generateBatch": {"json": BATCH},
    "uploadMedia": {"content": FILE, **FORM},
}
"""Routes that take an `Idempotency-Key`, each with something to be made."""
STREAMS = {"followEvents", "followGenerationJob", "watchFeed"}
ASKS = [
    pytest.param(name, ask, id=f"{name}-{number}-{ask.kind}")
    for name, asks in MATRIX.items()
    for number, ask in enumerate(asks)
]


def kinds_in(path: str) -> set[str]:
    """What a path names by id."""
    names = {part[1:-1] for part in path.split("/") if part.startswith("{")}
    return {IN_PATHS[name] for name in names - NOBODYS.keys()}


def filled(path: str, ids: Mapping[str, str]) -> str:
    """A path with an id for each of its names."""
    for name, kind in IN_PATHS.items():
        path = path.replace(f"{{{name}}}", ids.get(kind, ""))
    for name, number in NOBODYS.items():
        path = path.replace(f"{{{name}}}", number)
    return path
