"""Spans reach a collector by its own protocol."""

from typing import ClassVar

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import TracerProvider

from deployments.tracing import exporters
from tests.services import Service, hosted


class Collector(Service):
    """What OpenTelemetry's is, as far as an exporter can tell."""

    names: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        spans = [span for each in told.resource_spans for scope in each.scope_spans for span in scope.spans]
        self.names.extend(f"{self.path} {span.name}" for span in spans)
        self.send_response(200)
        self.end_headers()


def test_spans_go_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    with hosted(Collector) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        provider = TracerProvider()
        for processor in exporters("anything"):
            provider.add_span_processor(processor)
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("request"), tracer.start_as_current_span("model"):
            pass
        provider.shutdown()
    assert Collector.names == ["/v1/traces model", "/v1/traces request"]
