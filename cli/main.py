"""`troupe`: serve, demo, doctor, models, verify, gc, copy-database, keys."""

import threading
from contextlib import suppress
from pathlib import Path
from typing import Annotated, NoReturn

import httpx
import typer
from rich import filesize
from rich.console import Console
from rich.table import Table

from cli import demo as demonstration
from cli import doctor as checks
from cli import keys as api_keys
from cli import leftovers
from cli import models as catalogue
from cli.cluster import CannotStart, Plan, alone, running
from cli.environment import runtime_dir
from contracts.errors import ServiceError
from contracts.settings import ROOT, Settings

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_show_locals=False)
app.add_typer(api_keys.app, name="keys")
app.add_typer(catalogue.app, name="models")
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
def doctor(config: Config = LOCAL) -> None:
    """Look whether this machine can run Troupe, which models are ready, and what their folders lack."""
    findings = checks.look(Settings(), config)
    for finding in findings:
        console.print(f"[{'green' if finding.good else 'red'}]{'✓' if finding.good else '✗'}[/] {finding.text}")
    raise typer.Exit(0 if all(finding.good or not finding.needed for finding in findings) else 1)


@app.command()
def verify(file: Annotated[Path, typer.Argument(exists=True, dir_okay=False)]) -> None:
    """Say which label a file carries, and whether, by what and for whom it was made here."""
    from store.artifacts import Artifacts
    from store.database import Database
    from store.verify import verify as check

    settings = Settings()
    Database(settings.tables_url).migrate()
    console.print_json(check(Artifacts(settings), file, owners=None).model_dump_json())


@app.command()
def gc(dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would be removed.")] = False) -> None:
    """Remove what has been kept long enough (docs/operations.md). The cluster does the same every hour."""
    from sqlalchemy.exc import SQLAlchemyError

    from jobs import engine
    from jobs.jobs import Jobs
    from jobs.retention import Retention
    from store.artifacts import Artifacts
    from store.database import Database

    settings = Settings()
    database = Database(settings.tables_url)
    try:
        database.migrate()
        engine.migrate(settings)
        removed = Retention(settings, Jobs(settings, database), Artifacts(settings)).collect(dry_run)
    except (ServiceError, SQLAlchemyError) as problem:
        fail(str(problem))
    removed += leftovers.clear(runtime_dir(), settings.logs_days, dry_run)
    table = Table("what", "to remove" if dry_run else "removed", "size")
    for each in removed:
        table.add_row(each.what, str(each.count), filesize.decimal(each.size_bytes) if each.size_bytes else "")
    console.print(table)


@app.command()
def copy_database(
    to: Annotated[str, typer.Option(help="Its URL; without one, the SQLite files under TROUPE_VAR.")] = "",
) -> None:
    """Copy everything into an empty database, from SQLite to Postgres or back (docs/databases.md)."""
    from sqlalchemy.exc import SQLAlchemyError

    from cli.databases import copy_into

    settings, table = Settings(), Table("table", "rows")
    try:
        with alone(settings.var):
            counts = copy_into(settings, to)
    except (CannotStart, ServiceError, SQLAlchemyError) as problem:
        fail(str(problem))
    for name, count in counts.items():
        table.add_row(name, str(count))
    console.print(table)
    say("Everything has arrived. Set TROUPE_DATABASE_URL to the new place before the next start.")


def say(text: str) -> None:
    console.print(text, highlight=False)


def fail(text: str) -> NoReturn:
    console.print(text, style="red", highlight=False, markup=False)
    raise typer.Exit(1)


if __name__ == "__main__":
    app()
