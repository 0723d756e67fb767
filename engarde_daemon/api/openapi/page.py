"""The API's document as a page that needs neither a script nor anything from elsewhere."""

import json
from collections.abc import Iterator, Mapping
from html import escape
from typing import Any

from engarde_daemon.api.openapi.shapes import Schema

_STYLE = """
:root { color-scheme: light dark; --line: #8884; --soft: #8881; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 0 auto; max-width: 62rem; padding: 1rem; }
h2 { border-bottom: 1px solid var(--line); margin-top: 2.5rem; }
details { border: 1px solid var(--line); border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem; }
details details { background: var(--soft); border: 0; }
summary { cursor: pointer; }
summary b { display: inline-block; font-family: monospace; min-width: 4.5rem; }
code, pre { font-family: ui-monospace, monospace; font-size: 13px; }
pre { background: var(--soft); border-radius: 6px; overflow: auto; padding: .6rem; }
table { border-collapse: collapse; width: 100%; }
td, th { border-top: 1px solid var(--line); padding: .25rem .5rem; text-align: left;
         vertical-align: top; }
.quiet { opacity: .7; }
"""
_INTRODUCTION = (
    '<p>As <a href="/schema/openapi.json">OpenAPI document</a>. Send a key as '
    "<code>X-API-Key</code>, or a key or token as <code>Authorization: Bearer</code>.</p>"
)


def page_of(document: Schema) -> str:
    """The page of a document."""
    info = document["info"]
    parts = [
        f"<h1>{escape(info['title'])} <small class=quiet>{escape(info['version'])}</small></h1>",
        _INTRODUCTION,
    ]
    for tag in document["tags"]:
        parts.append(f"<h2>{escape(tag['name'])}</h2><p>{escape(tag['description'])}</p>")
        parts += [
            _operation(document, operation, path=path, method=method)
            for path, methods in document["paths"].items()
            for method, operation in methods.items()
            if tag["name"] in operation["tags"]
        ]
    parts.append("<h2>Schemas</h2>")
    for name, schema in document["components"]["schemas"].items():
        parts.append(
            f'<details id="{escape(name)}"><summary><code>{escape(name)}</code> '
            f"{escape(schema.get('description', ''))}</summary>{_json(schema)}</details>"
        )
    return (
        "<!doctype html><html lang=en><meta charset=utf-8>"
        f"<meta name=viewport content='width=device-width'><title>{escape(info['title'])}</title>"
        f"<style>{_STYLE}</style>{''.join(parts)}</html>\n"
    )


def _operation(document: Schema, operation: Schema, *, path: str, method: str) -> str:
    name = escape(operation["operationId"])
    return (
        f'<details id="{name}"><summary><b>{method.upper()}</b> <code>{escape(path)}</code> '
        f"{escape(operation['summary'])}</summary>"
        f"<p>{escape(operation.get('description', ''))} "
        f"<span class=quiet>Operation <code>{name}</code></span></p>"
        f"{_parameters(operation.get('parameters', []))}"
        f"{''.join(_body(operation.get('requestBody', {})))}"
        f"{''.join(_responses(document, operation['responses']))}</details>"
    )


def _parameters(parameters: list[Schema]) -> str:
    rows = [
        f"<tr><td><code>{escape(one['name'])}</code> <span class=quiet>{one['in']}</span></td>"
        f"<td><code>{_said(one['schema'])}</code></td>"
        f"<td>{escape(one.get('description', one['schema'].get('description', '')))}</td></tr>"
        for one in parameters
    ]
    return f"<table>{''.join(rows)}</table>" if rows else ""


def _said(schema: Schema) -> str:
    told = {name: value for name, value in schema.items() if name not in {"title", "description"}}
    return _linked(escape(json.dumps(told, ensure_ascii=False), quote=False))


def _body(body: Schema) -> Iterator[str]:
    for media_type, content in body.get("content", {}).items():
        yield f"<details open><summary>Body <code>{escape(media_type)}</code></summary>"
        yield f"{_json(content)}</details>"


def _responses(document: Schema, responses: Mapping[str, Schema]) -> Iterator[str]:
    for status, response in responses.items():
        told = _resolved(document, response)
        yield f"<details><summary><b>{status}</b> {escape(told['description'])}</summary>"
        names = ", ".join(f"<code>{escape(name)}</code>" for name in told.get("headers", ()))
        yield f"<p class=quiet>Headers: {names}</p>"
        for media_type, content in told.get("content", {}).items():
            yield f"<p><code>{escape(media_type)}</code></p>{_json(content)}"
        yield "</details>"


def _resolved(document: Schema, part: Schema) -> Schema:
    found: Any = part
    if "$ref" in part:
        found = document
        for name in part["$ref"].removeprefix("#/").split("/"):
            found = found[name]
    resolved: Schema = found
    return resolved


def _json(value: Any) -> str:
    text = escape(json.dumps(value, indent=2, ensure_ascii=False), quote=False)
    return f"<pre>{_linked(text)}</pre>"


def _linked(text: str) -> str:
    """Make references to schemas links to them; the text is escaped already."""
    parts = text.split('"#/components/schemas/')
    linked = [parts[0]]
    for part in parts[1:]:
        name, _, rest = part.partition('"')
        linked.append(f'"<a href="#{name}">{name}</a>"{rest}')
    return "".join(linked)
