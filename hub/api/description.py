"""The interface's own description (OpenAPI): with roles, ways to log in, and problems for every error."""

from collections.abc import Iterator
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from hub.api.doors import least_role
from hub.api.gate import COOKIE, CSRF_HEADER
from hub.api.problems import MEDIA_TYPE, Problem

TEXT = f"""
Read a site's people, cameras and decisions, correct them, search by picture, and adapt the site's network.

Log in by `POST /api/v1/session`, which gives a cookie; whatever changes something then needs the header
`{CSRF_HEADER}`, which `GET /api/v1/session` tells. Programs send `Authorization: Bearer TOKEN`.

Times are RFC 3339, UTC. Errors are `{MEDIA_TYPE}` (RFC 9457).
Lists come by pages: `next` of one is the `cursor` of the following.
"""

_PROBLEM = {"content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}
PROBLEMS: dict[int | str, dict[str, Any]] = {
    "4XX": {"description": "The request cannot be answered so.", **_PROBLEM},
    "503": {"description": "There are no data yet, or the hub does not answer; try again.", **_PROBLEM},
}


def api_routes(app: FastAPI) -> Iterator[APIRoute]:
    """The routes of the interface."""
    return (route for route in app.routes if isinstance(route, APIRoute) and route.include_in_schema)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of `app`."""
    document = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes)
    components = document.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    problem = Problem.model_json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    components["securitySchemes"] = {
        "session": {"type": "apiKey", "in": "cookie", "name": COOKIE},
        "token": {"type": "http", "scheme": "bearer"},
    }
    for route in api_routes(app):
        role = least_role(route)
        for method in route.methods or ():
            operation = document["paths"][route.path_format][method.lower()]
            if role is not None:
                operation["x-role"] = role.value
                operation["security"] = [{"session": []}, {"token": []}]
                operation["description"] = f"{operation.get('description', '')}\n\nFor {role.value}s.".strip()
    return document
