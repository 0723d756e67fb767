"""`deploy/kubernetes/engarde.yaml` against what the daemon serves and takes."""

from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from engarde_daemon.config import Settings, load
from tests.support.daemon import SharedDaemon, shared_daemon
from tests.support.postgres import postgres_server

__all__ = ["postgres_server", "shared_daemon"]

MANIFEST = Path(__file__).parents[2] / "deploy" / "kubernetes" / "engarde.yaml"
PROBES = ("startupProbe", "livenessProbe", "readinessProbe")


@pytest.fixture(scope="module")
def objects() -> dict[str, Any]:
    """Every object by its kind."""
    return {made["kind"]: made for made in yaml.safe_load_all(MANIFEST.read_text())}


@pytest.fixture(scope="module")
def pod(objects: dict[str, Any]) -> dict[str, Any]:
    """What each daemon runs in."""
    spec: dict[str, Any] = objects["Deployment"]["spec"]["template"]["spec"]
    return spec


@pytest.fixture(scope="module")
def container(pod: dict[str, Any]) -> dict[str, Any]:
    """The daemon itself."""
    (found,) = pod["containers"]
    return dict(found)


@pytest.fixture(scope="module")
def settings(objects: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """What the daemon makes of its file and of the variables that the secret gives it."""
    file = tmp_path_factory.mktemp("settings") / "engarde.toml"
    file.write_text(objects["ConfigMap"]["data"]["engarde.toml"])
    named = [
        word.partition("=")[2].split("=")
        for word in MANIFEST.read_text().split()
        if word.startswith("--from-literal=ENGARDE_")
    ]
    environ = {name: value.replace("...", "x" * 32) for name, value in named}
    return load(file, environ)


def test_the_settings_are_ones_that_the_daemon_takes(settings: Settings):
    """Every key is known, nothing contradicts, and the secrets have the right names."""
    assert settings.postgres.dsn.startswith("postgresql://")
    assert (settings.zerodb.mode, settings.bigquery.mode) == ("cloud", "bigquery")
    assert settings.zerodb.api_key
    assert settings.auth.jwt_secret


def test_it_listens_where_it_is_asked(
    settings: Settings, container: dict[str, Any], objects: dict[str, Any]
):
    """On all addresses, on the port that probes, service and scraper name."""
    (port,) = container["ports"]
    annotations = objects["Deployment"]["spec"]["template"]["metadata"]["annotations"]

    assert settings.server.host == "0.0.0.0"  # noqa: S104 - compared, not bound
    assert settings.server.port == port["containerPort"]
    assert {container[probe]["httpGet"]["port"] for probe in PROBES} == {port["name"]}
    assert objects["Service"]["spec"]["ports"][0]["targetPort"] == port["name"]
    assert annotations["prometheus.io/port"] == str(port["containerPort"])


@pytest.mark.parametrize("probe", PROBES)
async def test_every_probe_is_answered(
    shared_daemon: SharedDaemon, container: dict[str, Any], probe: str
):
    """By a daemon that is well."""
    async with shared_daemon.caller(None) as http:
        answer: httpx.Response = await http.get(container[probe]["httpGet"]["path"])

    assert answer.status_code == 200


def test_readiness_notices_the_end_before_it_comes(
    settings: Settings, pod: dict[str, Any], container: dict[str, Any]
):
    """Nobody is sent to a daemon that has stopped listening, and the end fits into its time."""
    probe = container["readinessProbe"]
    noticed_s = probe["periodSeconds"] * (probe["failureThreshold"] + 1)

    assert probe["httpGet"]["path"] == "/readyz"
    assert settings.server.drain_s > noticed_s
    assert pod["terminationGracePeriodSeconds"] > (
        settings.server.drain_s + settings.server.shutdown_grace_s
    )


def test_everything_it_writes_to_is_a_volume(settings: Settings, container: dict[str, Any]):
    """Its root is read-only, and it is nobody special."""
    mounts = {mount["mountPath"]: mount for mount in container["volumeMounts"]}

    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
    assert {settings.storage.data_dir, "/tmp"} <= set(mounts)  # noqa: S108 - its name
    assert Path(settings.secrets.key_file).parent.as_posix() in mounts


def test_one_at_a_time_may_be_away(objects: dict[str, Any]):
    """The budget and the spread speak of the pods that the deployment makes."""
    labels = objects["Deployment"]["spec"]["template"]["metadata"]["labels"]

    assert objects["PodDisruptionBudget"]["spec"]["maxUnavailable"] == 1
    assert objects["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"] == labels
    assert objects["Service"]["spec"]["selector"] == labels
    assert objects["Deployment"]["spec"]["replicas"] >= 3
