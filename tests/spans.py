"""What an OpenTelemetry collector is, as far as an exporter can tell."""

from typing import ClassVar

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from tests.services import Service


class Collector(Service):
    """`spans`: in the order in which they came."""

    spans: ClassVar[list[Span]] = []

    def do_POST(self) -> None:
        told = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["Content-Length"])))
        self.asked.append({"path": self.path})
        self.spans.extend(span for each in told.resource_spans for scope in each.scope_spans for span in scope.spans)
        self.send_response(200)
        self.end_headers()
