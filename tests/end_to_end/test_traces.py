"""Traces: what a running service sends to a collector, and that it sends nothing that is personal."""

from __future__ import annotations

import gzip
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from end_to_end.running import Service, soon

NAME = "欧阳无名有限公司"
TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"


@contextmanager
def collector() -> Iterator[tuple[str, list[bytes]]]:
    """An address that takes traces as a collector does, and what it was sent."""
    taken: list[bytes] = []

    class Taking(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append(gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body)
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Taking) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}", taken
        finally:
            server.shutdown()
            thread.join()


def spans(taken: list[bytes]) -> list[Any]:
    """Every span that was sent."""
    requests = [ExportTraceServiceRequest.FromString(each) for each in taken]
    return [
        span
        for request in requests
        for resource in request.resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    ]


def attributes(span: Any) -> dict[str, Any]:
    return {each.key: each.value.string_value or each.value.int_value for each in span.attributes}


def test_requests_commands_and_statements_are_sent_and_nothing_personal(place: Path) -> None:
    with (
        collector() as (address, taken),
        Service(place / "data", OTEL_EXPORTER_OTLP_ENDPOINT=address, OTEL_BSP_SCHEDULE_DELAY="100") as service,
    ):
        with service.client(service.token) as client:
            known = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            made = client.post("/customers", json={"name": NAME, "kind": "company"}, headers=known)
            assert made.status_code == 201, made.text
            client.get("/customers", params={"q": NAME, "after": made.json()["position"]})
            client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": "OY-1"})
            client.post("/customers", json={"name": NAME, "kind": "company", "legacy_code": "OY-1"})
            client.get(f"/customers/{NAME}")
        service.stop()
        assert soon(lambda: any(each.name == "GET /api/v1/customers/{id}" for each in spans(taken)))
        found = spans(taken)
    for secret in (NAME, "欧阳", made.json()["id"]):
        assert not any(secret.encode() in each for each in taken)
    (request,) = [each for each in found if each.trace_id.hex() == TRACE and each.name == "POST /api/v1/customers"]
    assert request.parent_span_id.hex() == PARENT
    assert attributes(request)["http.route"] == "/api/v1/customers"
    assert attributes(request)["http.response.status_code"] == 201
    (command,) = [each for each in found if each.parent_span_id == request.span_id and each.name.startswith("command")]
    assert command.name == "command register-customer"
    assert len(attributes(command)["genjin.command_id"]) == 36
    statements = [each for each in found if each.trace_id == request.trace_id and each.name == "sql"]
    assert any("FROM append(" in attributes(each)["db.query.text"] for each in statements)
    refused = [attributes(each).get("genjin.refusal") for each in found if each.name == "command register-customer"]
    assert "claim-taken" in refused


def test_nothing_of_it_is_read_unless_it_is_asked_for() -> None:
    asked = "import sys, crm.processes.web; print([m for m in sys.modules if 'opentelemetry.sdk' in m or 'otlp' in m])"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
