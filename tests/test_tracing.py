"""Spans reach a collector by its own protocol, and a job goes on in the trace of the call that submitted it."""

import pytest
from opentelemetry.sdk.trace import TracerProvider

from contracts.jobs import Job
from deployments.tracing import exporters
from jobs import tracing
from tests.services import hosted
from tests.spans import Collector


def test_spans_go_to_the_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    Collector.spans.clear()
    with hosted(Collector) as url:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", url)
        provider = TracerProvider()
        for processor in exporters():
            provider.add_span_processor(processor)
        tracer = provider.get_tracer("test")
        with tracer.start_as_current_span("request"), tracer.start_as_current_span("model"):
            pass
        provider.shutdown()
        assert Collector.asked == [{"path": "/v1/traces"}]
    assert [span.name for span in Collector.spans] == ["model", "request"]


def test_a_job_carries_the_trace_that_it_was_submitted_in(monkeypatch: pytest.MonkeyPatch) -> None:
    provider = TracerProvider()
    monkeypatch.setattr(tracing, "_tracer", provider.get_tracer("test"))
    assert tracing.carried() == ""
    with provider.get_tracer("test").start_as_current_span("request") as request:
        job = Job(id="j", kind="k", owner="o", params={}, trace=tracing.carried())
    with tracing.span("later", job):
        assert tracing.carried().split("-")[1] == f"{request.get_span_context().trace_id:032x}"
    with tracing.span("of a call that was not sampled", job.model_copy(update={"trace": ""})):
        assert tracing.carried() == ""
