"""Whether content is safe, in one sentence."""

from engarde_daemon.domain.safety.risks import risks_of
from engarde_daemon.domain.safety.scene import Scene, counted, duration
from engarde_daemon.protocol import Safety, Severity


def safety_of(scene: Scene) -> Safety:
    """The verdict, with all that speaks against it."""
    delivery, archive = scene.waiting("zerodb"), scene.waiting("bigquery")
    owed = scene.vitals.archive.backfill + scene.vitals.archive.parked
    missing = {"zerodb": delivery.rows, "archive": archive.rows + owed}
    risks = risks_of(scene)
    oldest_s = max(delivery.oldest_age_s, archive.oldest_age_s)
    return Safety(
        severity=risks[0].severity if risks else Severity.OK,
        words=_words(scene, missing, oldest_s),
        versions=scene.versions,
        missing=missing,
        since=scene.ago(oldest_s) if any(missing.values()) else None,
        risks=risks,
    )


def _words(scene: Scene, missing: dict[str, int], oldest_s: float) -> str:
    told = _whereabouts(scene, missing, oldest_s)
    if scene.vitals.postgres is None:
        return told
    if not scene.versions:
        return "PostgreSQL does not answer: what is safe cannot be told."
    return f"PostgreSQL does not answer. When it was last asked: {told}"


def _whereabouts(scene: Scene, missing: dict[str, int], oldest_s: float) -> str:
    lacking = []
    if missing["zerodb"]:
        lacking.append(f"{missing['zerodb']:,} not in ZeroDB yet")
    if missing["archive"]:
        lacking.append(f"{missing['archive']:,} not in {scene.archive_name} yet")
    if not lacking:
        return _complete(scene)
    age = f", the oldest for {duration(oldest_s)}" if oldest_s else ""
    holders = "PostgreSQL or ZeroDB" if missing["archive"] else "PostgreSQL"
    return (
        f"Of {counted(scene.versions, 'version')}, {' and '.join(lacking)}{age}. "
        f"None is lost: {holders} has what they need."
    )


def _complete(scene: Scene) -> str:
    if not scene.versions:
        return "No version was written yet."
    if scene.versions == 1:
        return f"The only version is in ZeroDB and {scene.archive_name}."
    return f"All {scene.versions:,} versions are in ZeroDB and {scene.archive_name}."
