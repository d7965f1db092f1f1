"""The interface's description is true: whatever fits it, and much that does not, is answered as it says."""

from pathlib import Path

import hypothesis
import requests
import schemathesis
from hypothesis import strategies as st
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.schemas import APIOperation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api import make_api
from tests.hub.api.serving import KNOWN, fill, served, services_of, token_of, whole_services_of

load_all_checks()

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 4
ENDLESS = {"/stream": "text/event-stream", "/live": "multipart/x-mixed-replace"}
KEPT = "/api/v1/tokens/{number}"
"""Whose number 1 is the token that asks."""


def ask(session: requests.Session, address: str, case: Case) -> int:
    """Send it, and see that the answer is as described; gives its status."""
    endless = next((kind for end, kind in ENDLESS.items() if case.operation.path.endswith(end)), None)
    if endless is None:
        response = case.call(base_url=address, headers=session.headers, session=session, timeout=30)
        case.validate_response(response, checks=CHECKS)
        return int(response.status_code)
    told = case.as_transport_kwargs(base_url=address, headers=session.headers)
    with session.request(**told, stream=True, timeout=30) as begun:
        status = begun.status_code  # its head is awaited, and not its end
        assert status in (200, 404, 422)
        assert begun.headers["content-type"].startswith(endless if status == 200 else "application/problem+json")
        return status


def statuses_of(operation: APIOperation, session: requests.Session, address: str) -> set[int]:
    """How it answers to some requests."""
    statuses: set[int] = set()

    @hypothesis.settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        suppress_health_check=list(hypothesis.HealthCheck),
    )
    @hypothesis.given(case=operation.as_strategy(), known=st.booleans())
    def answered(case: Case, known: bool) -> None:
        if known and operation.path != KEPT:
            case.path_parameters.update({name: KNOWN[name] for name in case.path_parameters})
        statuses.add(ask(session, address, case))

    answered()
    return statuses


def test_nothing_that_is_sent_is_answered_by_a_fault_or_otherwise_than_described(tmp_path: Path) -> None:
    fill(tmp_path / "data")
    services = whole_services_of(tmp_path, users=["ada"])
    app = make_api(services)
    schema = schemathesis.openapi.from_dict(app.openapi())
    operations = [found.ok() for found in schema.get_all_operations()]
    assert len(operations) == sum(len(methods) for methods in app.openapi()["paths"].values())
    operations.sort(key=lambda one: one.method.lower() == "delete")  # what is gone is not found
    with served(app) as address, requests.Session() as session:
        session.headers.update(token_of(services, "ada"))
        statuses = {one.label: statuses_of(one, session, address) for one in operations}
    services.close()
    assert {200, 202, 204, 404, 409, 415, 422} <= set().union(*statuses.values())
    strangers = {label for label, heard in statuses.items() if 401 in heard}
    assert strangers <= {"POST /api/v1/session", f"DELETE {KEPT}"}


def test_the_description_states_a_role_or_none_for_every_operation(tmp_path: Path) -> None:
    services = services_of(tmp_path, users=["ada"])
    document = make_api(services).openapi()
    services.close()
    open_to_all = {
        (method, path)
        for path, operations in document["paths"].items()
        for method, operation in operations.items()
        if "x-role" not in operation
    }
    assert open_to_all == {
        ("post", "/api/v1/session"),
        ("post", "/api/v1/setup"),
        ("get", "/healthz"),
        ("get", "/readyz"),
    }
