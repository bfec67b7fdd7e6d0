"""The OpenAPI description as a page: without a script, and without the network that other viewers load theirs from."""

import json
import re
from collections.abc import Iterator
from html import escape
from typing import Any

HEAD = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title><link rel="icon" href="data:,"><link rel="stylesheet" href="page.css"></head>
<body class="docs"><header><h1>{title}</h1><p><a href="./">try it</a> · <a href="openapi.json">openapi.json</a></p></header>
<main>
"""
EXAMPLES = {
    "/predict": '{"text": "a great film"}',
    "/trace": '{"text": "a great film"}',
}


def draw_openapi(description: dict[str, Any]) -> str:
    """Return the page; everything in it is escaped."""
    title = escape(f"{description['info']['title']} {description['info']['version']}")
    sections = [
        _draw_route(path, method, route) for path, methods in description["paths"].items() for method, route in methods.items()
    ]
    forms = [_draw_form(name, form) for name, form in description.get("components", {}).get("schemas", {}).items()]
    parts = (HEAD.format(title=title), *sections, "<h2>Forms</h2>", *forms, "</main></body></html>\n")
    return "\n".join(parts)


def _draw_route(path: str, method: str, route: dict[str, Any]) -> str:
    rows = "".join(
        f"<tr><th scope='row'>{escape(status)}</th><td>{escape(answer.get('description', ''))}</td>"
        f"<td>{_link_form(answer)}</td></tr>"
        for status, answer in sorted(route.get("responses", {}).items())
    )
    body = _link_form(route["requestBody"]) if "requestBody" in route else ""
    takes = f"<p>Takes {body}.</p>" if body else ""
    return (
        f"<section><h2><code>{escape(method.upper())} {escape(path)}</code></h2><p>{_words(route)}</p>"
        f"{takes}<pre>{escape(_example(path, method))}</pre><table>{rows}</table></section>"
    )


def _words(route: dict[str, Any]) -> str:
    """Return what a route does; what stands between backticks is code."""
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(route.get("description", "")))


def _example(path: str, method: str) -> str:
    if method == "get":
        return f"curl http://127.0.0.1:8000{path}"
    return f"curl http://127.0.0.1:8000{path} -H 'Content-Type: application/json' -d '{EXAMPLES.get(path, '{}')}'"


def _link_form(part: dict[str, Any]) -> str:
    for kind in part.get("content", {}).values():
        name = kind.get("schema", {}).get("$ref", "").rpartition("/")[2]
        if name:
            return f'<a href="#{escape(name)}">{escape(name)}</a>'
    return ""


def _draw_form(name: str, form: dict[str, Any]) -> str:
    rows = "".join(_rows(form))
    return f'<section><h3 id="{escape(name)}">{escape(name)}</h3><table>{rows}</table></section>'


def _rows(form: dict[str, Any]) -> Iterator[str]:
    for field, value in form.get("properties", {}).items():
        cells = "".join(f"<td>{escape(cell)}</td>" for cell in (_kind_of(value), value.get("description", "")))
        yield f"<tr><th scope='row'><code>{escape(field)}</code></th>{cells}</tr>"


def _kind_of(value: dict[str, Any]) -> str:
    if "anyOf" in value:
        return " or ".join(map(_kind_of, value["anyOf"]))
    if "$ref" in value:
        return str(value["$ref"]).rpartition("/")[2]
    if value.get("type") == "array":
        return f"list of {_kind_of(value.get('items', {}))}"
    return str(value.get("type") or json.dumps(value))
