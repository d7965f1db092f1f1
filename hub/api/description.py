"""The interface's own description (OpenAPI): with roles, ways to log in, and problems for every error."""

from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

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
    for operations in document["paths"].values():
        for operation in operations.values():
            for door in operation.pop("security", ()):
                role = next(iter(door))  # the name of the door that the route has
                operation["x-role"] = role
                operation["security"] = [{"session": []}, {"token": []}]
                operation["description"] = f"{operation.get('description', '')}\n\nFor {role}s.".strip()
    return document
