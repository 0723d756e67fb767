"""Which role each route needs at least: every route of the API document, from every role.

A route that is missing from the table fails here, so that none is added without a decision.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from engarde_daemon.adapters.postgres.embedded import EmbeddedPostgres
from engarde_daemon.domain.access import Role
from tests.acceptance.access.conftest import House, running, taking_tokens
from tests.acceptance.content import problem_of
from tests.support.daemon import SharedDaemon
from tests.support.issuer import Issuer

NOWHERE = "00000000-0000-7000-8000-000000000000"
NEEDS = {
    "approveGenerationJob": "editor",
    "beginUpload": "editor",
    "cancelGenerationJob": "editor",
    "cancelJob": "operator",
    "cancelRecoveryJob": "operator",
    "changePlan": "operator",
    "continueUpload": "editor",
    "createCampaignSpace": "editor",
    "createContent": "editor",
    "createContentBulk": "editor",
    "createKey": "admin",
    "createWebhook": "admin",
    "deleteContent": "editor",
    "deleteContentBulk": "editor",
    "deleteMedia": "editor",
    "deleteWebhook": "admin",
    "diffVersions": "viewer",
    "downloadMedia": "viewer",
    "downloadThumbnail": "viewer",
    "endUpload": "editor",
    "exportContent": "admin",
    "failBack": "operator",
    "failOver": "operator",
    "followEvents": "viewer",
    "followGenerationJob": "viewer",
    "generateBatch": "editor",
    "cancelImport": "editor",
    "importCampaign": "editor",
    "importCampaignFile": "editor",
    "importContent": "admin",
    "listActors": "operator",
    "listAudit": "admin",
    "listBrands": "viewer",
    "listCampaignSpaces": "viewer",
    "listContent": "viewer",
    "listCredentials": "admin",
    "listGenerationItems": "viewer",
    "listGenerationJobs": "viewer",
    "listImportItems": "viewer",
    "listImports": "viewer",
    "listJobs": "operator",
    "listKeys": "admin",
    "listMedia": "viewer",
    "listTenants": "operator",
    "listVersions": "viewer",
    "listWebhookDeliveries": "admin",
    "listWebhooks": "admin",
    "measureUpload": "editor",
    "orderMigration": "operator",
    "orderRestore": "operator",
    "orderVerify": "operator",
    "pauseActor": "operator",
    "putAnalytics": "editor",
    "putCredential": "admin",
    "readAnalytics": "viewer",
    "readCampaignSpace": "viewer",
    "readContent": "viewer",
    "readContentAnalytics": "viewer",
    "readErasure": "admin",
    "readMedia": "viewer",
    "readGenerationJob": "viewer",
    "readImport": "viewer",
    "readLog": "operator",
    "readOverview": "operator",
    "readQueues": "operator",
    "readQuota": "viewer",
    "readRecovery": "operator",
    "readRecoveryJob": "operator",
    "readUpload": "editor",
    "readVersion": "viewer",
    "readVoice": "viewer",
    "readWebhook": "admin",
    "reconcileQuota": "operator",
    "removeCredential": "admin",
    "replaceVoice": "admin",
    "restartActor": "operator",
    "restoreContent": "editor",
    "restoreVersion": "editor",
    "resumeActor": "operator",
    "retryGenerationJob": "editor",
    "retryJob": "operator",
    "retryQueue": "operator",
    "retryWebhookDelivery": "admin",
    "revokeKey": "admin",
    "rotateWebhookSecret": "admin",
    "setStatusBulk": "editor",
    "setTagsBulk": "editor",
    "testWebhook": "admin",
    "updateContent": "editor",
    "updateWebhook": "admin",
    "uploadMedia": "editor",
    "watchFeed": "operator",
}
"""By operation id; routes outside of /api/ need no caller at all."""


@pytest.fixture(scope="module")
async def token_daemon(
    postgres_server: EmbeddedPostgres, shared_issuer: Issuer
) -> AsyncIterator[SharedDaemon]:
    """A daemon that nobody else has: who may reach every route orders a failover on the way."""
    async with running(postgres_server, **taking_tokens(shared_issuer)) as daemon:
        yield daemon


async def operations_of(http: httpx.AsyncClient) -> dict[str, tuple[str, str]]:
    """Method and path of each operation below /api/, with ids that nobody has."""
    document: dict[str, Any] = (await http.get("/schema/openapi.json")).json()
    return {
        operation["operationId"]: (method.upper(), _filled(path))
        for path, operations in document["paths"].items()
        if path.startswith("/api/")
        for method, operation in operations.items()
    }


def _filled(path: str) -> str:
    return re.sub(
        r"\{[^}]+\}", NOWHERE, path.replace("{version}", "1").replace("{delivery_id}", "1")
    )


async def test_every_route_is_decided(house: House):
    """The table and the API document name the same operations."""
    async with house.daemon.caller(None) as http:
        assert set(await operations_of(http)) == set(NEEDS)


@pytest.mark.parametrize("role", list(Role))
@pytest.mark.parametrize("proof", ["key", "token"])
async def test_a_role_reaches_what_the_table_says(house: House, role: Role, proof: str):
    """Below the needed role every route is 403; from it on, whatever else it may be."""
    if proof == "key":
        caller = house.daemon.caller(house.daemon.new_key(house.tenant, role.value).api_key)
    else:
        user_id = await house.user(first="owner", second="owner")
        said = "platform-operator" if role is Role.OPERATOR else role.value
        caller = house.bearer(house.token(user_id, role=said))
    async with caller as http:
        for operation, (method, path) in (await operations_of(http)).items():
            async with http.stream(method, path, json={"unknown": 1}) as answer:
                if role.reaches(Role(NEEDS[operation])):
                    assert answer.status_code not in {401, 403}, operation
                elif method == "HEAD":
                    assert answer.status_code == 403, operation
                else:
                    await answer.aread()
                    assert NEEDS[operation] in problem_of(answer, 403)["detail"], operation


@pytest.mark.parametrize(
    "operation", ["listAudit", "listWebhooks", "exportContent", "listCredentials"]
)
async def test_an_admin_of_one_brand_does_not_answer_for_the_tenant(house: House, operation: str):
    """What shows all brands needs an administrator of all of them."""
    async with house.member(first="owner") as http:
        method, path = (await operations_of(http))[operation]

        problem_of(await http.request(method, path), 403)


async def test_nobody_reaches_anything_without_a_proof(house: House):
    """401 on each of them."""
    async with house.daemon.caller(None) as http:
        for operation, (method, path) in (await operations_of(http)).items():
            answer = await http.request(method, path, json={})
            assert answer.status_code == 401, operation
            if method != "HEAD":
                problem_of(answer, 401)
