"""A job goes on in the trace of the call that it was submitted by, in whatever process and whenever it runs."""

from collections.abc import Iterator
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from contracts.jobs import Job

HEADER = "traceparent"
_propagator = TraceContextTextMapPropagator()
_tracer = trace.get_tracer("troupe.jobs")


def carried() -> str:
    """The trace of the call that is being answered, as its header would name it; empty: there is none."""
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get(HEADER, "")


@contextmanager
def span(name: str, job: Job) -> Iterator[None]:
    """What is called within is seen in the trace that the job carries, below a span of this name. A call that was not
    sampled carries none, and then neither the job is."""
    if not job.trace:
        yield
        return
    context = _propagator.extract({HEADER: job.trace})
    with _tracer.start_as_current_span(name, context, attributes={"troupe.job": job.id}):
        yield
