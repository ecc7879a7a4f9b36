"""Traces of calls, from the ingress to the models, for an OpenTelemetry collector.

`RAY_SERVE_TRACING_EXPORTER_IMPORT_PATH=deployments.tracing:exporters` on every node: Serve makes a span of each
request and of each call of a model, and asks here where they go. `OTEL_EXPORTER_OTLP_ENDPOINT` names the collector.
"""

from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.export import BatchSpanProcessor


def exporters() -> list[SpanProcessor]:
    """Serve refuses a function with arguments."""
    return [BatchSpanProcessor(OTLPSpanExporter())]
