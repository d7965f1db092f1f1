"""The interface's description is true: whatever fits it, and much that does not, is answered as it says."""

from pathlib import Path

import hypothesis
import requests
import schemathesis
from schemathesis import Case
from schemathesis.checks import load_all_checks
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from hub.api import make_api
from passerby.cli.looking.options import place
from passerby.cli.serving.films import SiteFilms
from tests.hub.api.serving import fill, served, services_of, token_of

load_all_checks()

CHECKS = [
    schemathesis.checks.not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]
EXAMPLES = 4


def test_nothing_that_is_sent_is_answered_by_a_fault_or_otherwise_than_described(tmp_path: Path) -> None:
    fill(tmp_path)
    services = services_of(tmp_path, users=["ada"])
    services.films = SiteFilms(place(None, tmp_path), services.access)
    app = make_api(services)
    schema = schemathesis.openapi.from_dict(app.openapi())
    headers = token_of(services, "ada")
    statuses: list[int] = []
    with served(app) as address, requests.Session() as session:
        for found in schema.get_all_operations():
            operation = found.ok()
            if operation.path.endswith("/stream"):
                continue  # it does not end by itself

            @hypothesis.settings(
                max_examples=EXAMPLES,
                deadline=None,
                database=None,
                derandomize=True,
                suppress_health_check=list(hypothesis.HealthCheck),
            )
            @hypothesis.given(case=operation.as_strategy())
            def answered(case: Case) -> None:
                response = case.call(base_url=address, headers=headers, session=session, timeout=30)
                statuses.append(response.status_code)
                case.validate_response(response, checks=CHECKS)

            answered()
    services.films.close()
    services.close()
    assert {200, 204, 404, 409, 422} <= set(statuses)


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
