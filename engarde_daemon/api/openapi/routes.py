"""The routes of controllers, as far as the document tells of them."""

import inspect
import re
from collections.abc import Iterator, Sequence
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
from litestar import Controller, Response
from litestar.handlers import HTTPRouteHandler

from engarde_daemon.api.access import Reaches, ReachesTenant
from engarde_daemon.api.contract import Answer, Contract, contract_in
from engarde_daemon.domain.access import Role

_PARAMETER = re.compile(r"\{(?P<name>\w+):(?P<kind>\w+)\}")
_HIDDEN: tuple[Any, ...] = (Response, bytes)


class Route(msgspec.Struct, frozen=True, kw_only=True):
    """One operation."""

    path: str
    method: str
    operation_id: str
    tag: str
    doc: str
    parameters: dict[str, str]
    contract: Contract
    role: Role | None
    whole_tenant: bool
    answers: dict[int, Answer]

    @property
    def needs_caller(self) -> bool:
        """Whether a key or token must come along."""
        return self.path.startswith("/api/")


def routes_of(controllers: Sequence[type[Controller]]) -> Iterator[Route]:
    """Every operation of these controllers, in their order."""
    for controller in controllers:
        for handler in vars(controller).values():
            if isinstance(handler, HTTPRouteHandler) and handler.include_in_schema is not False:
                yield _route(controller, handler)


def _route(controller: Any, handler: HTTPRouteHandler) -> Route:
    (path,) = handler.paths
    (method,) = handler.http_methods
    whole = re.sub(r"/+", "/", f"{controller.path}/{path}").rstrip("/")
    contract = contract_in(handler.opt)
    guards = [*(vars(controller).get("guards") or ()), *(handler.guards or ())]
    told = [guard for guard in guards if isinstance(guard, Reaches | ReachesTenant)]
    return Route(
        path=_PARAMETER.sub(r"{\g<name>}", whole),
        method=method.lower(),
        operation_id=str(handler.operation_id),
        tag=controller.tags[0],
        doc=inspect.cleandoc(handler.fn.__doc__ or ""),
        parameters={match["name"]: match["kind"] for match in _PARAMETER.finditer(whole)},
        contract=contract,
        role=told[-1].required if told else None,
        whole_tenant=bool(told) and isinstance(told[-1], ReachesTenant),
        answers=dict(contract.answers) or _inferred(handler),
    )


def _inferred(handler: HTTPRouteHandler) -> dict[int, Answer]:
    """The answer that a handler's signature tells of.

    Raises:
        LookupError: It tells nothing, so its contract has to.
    """
    shape = get_type_hints(handler.fn)["return"]
    if shape is type(None):
        return {handler.status_code: Answer(media_type="")}
    if get_origin(shape) is Response and get_args(shape) != (bytes,):
        (shape,) = get_args(shape)
    if not _is_told(shape):
        raise LookupError(f"say in the contract of {handler.operation_id} what it answers")
    return {handler.status_code: Answer(shape=shape)}


def _is_told(shape: Any) -> bool:
    kind = get_origin(shape) or shape
    return isinstance(kind, type) and issubclass(kind, msgspec.Struct)
