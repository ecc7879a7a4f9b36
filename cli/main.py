"""`troupe`: serve, demo, doctor, models, verify."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console
from rich.table import Table

from cli import demo as demonstration
from cli import doctor as checks
from cli.cluster import CannotStart, Plan, running
from contracts.catalog import models as catalogue
from contracts.settings import ROOT, Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
console = Console()

Port = Annotated[int, typer.Option(help="Of the HTTP interface, on 127.0.0.1.")]
DashboardPort = Annotated[int, typer.Option(help="Of Ray's dashboard, on 127.0.0.1.")]
Config = Annotated[Path, typer.Option(exists=True, dir_okay=False, help="What to serve.")]
LOCAL = ROOT / "serve_config.local.yaml"


@app.command()
def serve(
    config: Config = LOCAL,
    port: Port = 8000,
    dashboard_port: DashboardPort = 8265,
    proxy: Annotated[bool, typer.Option(help="HAProxy in front, six times faster than Serve's own.")] = True,
) -> None:
    """Serve on this machine until Ctrl-C."""
    try:
        with running(Plan(config, port, dashboard_port, proxy), say) as plan, suppress(KeyboardInterrupt):
            say(f"Ready: {plan.url}  (API {plan.url}/docs, dashboard {plan.dashboard}). Ctrl-C stops it.")
            threading.Event().wait()
    except CannotStart as problem:
        fail(str(problem))


@app.command()
def demo(
    topic: Annotated[str, typer.Option(help="What the story is about.")] = "小狐狸学会分享",
    role: Annotated[str, typer.Option(help="Its main character.")] = "",
    scene: Annotated[str, typer.Option(help="Where it happens.")] = "",
    port: Port = 8000,
    dashboard_port: DashboardPort = 8265,
) -> None:
    """Start the cluster, make one narrated film from a topic, say where it lies, and stop."""
    try:
        with running(Plan(LOCAL, port, dashboard_port), say) as plan:
            film = demonstration.make_film(plan.url, topic, role, scene, Settings().var / "demo", console)
    except (CannotStart, demonstration.Failed, httpx.HTTPError) as problem:
        fail(str(problem))
    say(f"The film: {film}")


@app.command()
def doctor() -> None:
    """Look whether this machine can run Troupe, and which models are ready."""
    findings = checks.look(Settings())
    for finding in findings:
        console.print(f"[{'green' if finding.good else 'red'}]{'✓' if finding.good else '✗'}[/] {finding.text}")
    raise typer.Exit(0 if all(finding.good or not finding.needed for finding in findings) else 1)


@app.command()
def models() -> None:
    """List the catalogue."""
    table = Table("id", "capability", "engine", "licence", "ready")
    for spec in catalogue().values():
        table.add_row(spec.id, spec.capability, spec.engine, spec.licence, checks.missing(spec) or "yes")
    console.print(table)


@app.command()
def verify(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Say which label a file carries, and whether, by what and for whom it was made here."""
    from store.artifacts import Artifacts
    from store.database import Database
    from store.verify import verify as check

    settings = Settings()
    Database(settings.tables_url).migrate()
    console.print_json(check(Artifacts(settings), file, owner=None).model_dump_json())


def say(text: str) -> None:
    console.print(text, highlight=False)


def fail(text: str) -> None:
    console.print(f"[red]{text}[/]", highlight=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
