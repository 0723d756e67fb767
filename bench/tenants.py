"""The callers of a run: who they are, and the file in which a reference names its own."""

import os
import random
from pathlib import Path
from uuid import UUID

import msgspec


class Tenant(msgspec.Struct, frozen=True, kw_only=True):
    """One caller: a tenant with one brand, one user and one key."""

    tenant_id: str
    brand_id: str
    user_id: str
    api_key: str


def make_tenants(count: int) -> list[Tenant]:
    """Make `count` tenants, the same ones each time."""
    rng = random.Random(count)

    def new_id() -> str:
        return str(UUID(int=rng.getrandbits(128), version=4))

    return [
        Tenant(tenant_id=new_id(), brand_id=new_id(), user_id=new_id(), api_key=f"eg_bench_{index}")
        for index in range(count)
    ]


def write_tenants(data_dir: Path, tenants: list[Tenant]) -> None:
    """Write the tenants to `data_dir` for the harness, all or nothing."""
    draft = data_dir / "tenants.json.new"
    draft.write_bytes(msgspec.json.encode(tenants))
    os.replace(draft, data_dir / "tenants.json")  # noqa: PTH105 - the rename is the commit


def read_tenants(data_dir: Path) -> list[Tenant]:
    """Read what `write_tenants` wrote."""
    return msgspec.json.decode((data_dir / "tenants.json").read_bytes(), type=list[Tenant])
