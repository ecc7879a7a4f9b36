"""`troupe models`: the catalogue, what of it is ready here, and getting what is not."""

import os
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.table import Column, Table

from contracts.catalog import ModelSpec
from contracts.catalog import models as catalogue
from contracts.errors import ServiceError
from contracts.settings import Settings
from deployments.layouts import problems, sources
from deployments.registry import ENGINES
from deployments.weights import folder, local

app = typer.Typer(help="List the catalogue, get weights.")
console = Console()
BY_HUB = {
    "chat",
    "classification",
    "detection",
    "speech",
    "transcription",
}  # whole folders; the others' libraries get their own


@app.callback(invoke_without_command=True)
def models(context: typer.Context) -> None:
    """List the catalogue. `troupe doctor` says what those need that are not ready."""
    if context.invoked_subcommand:
        return
    whole = [Column(name, no_wrap=True) for name in ("id", "capability", "engine")]
    table = Table(*whole, "licence", Column("ready", no_wrap=True))
    for spec in catalogue().values():
        table.add_row(spec.id, spec.capability, spec.engine, spec.licence, "no" if missing(spec) else "yes")
    console.print(table)


@app.command()
def pull(model: Annotated[str, typer.Argument(help="Its id in the catalogue.")]) -> None:
    """Get a model's weights from the hub (TROUPE_HUB). Files that came whole are not got again."""
    try:
        spec = catalogue()[model]
        console.print(f"{spec.id}: {get(spec)}", highlight=False, markup=False)
    except KeyError:
        fail(f"No model {model!r} in the catalogue.")
    except ServiceError as problem:
        fail(problem.message)


def get(spec: ModelSpec) -> Path:
    """The folder of its weights, which are there then."""
    if refused := forbidden(spec):
        fail(f"{spec.id}: {refused}")
    needed = sources(spec)
    if not needed:
        fail(f"{spec.id} has no weights to get.")
    if spec.capability not in BY_HUB:
        fail(f"The weights of {spec.id} come when it is first served, by its engine's own library.")
    places = [folder(source.weights, source.revision, source.only) for source in needed]
    return places[0]


def missing(spec: ModelSpec) -> str:
    """Why a model cannot run here; empty when it can."""
    if (spec.capability, spec.engine) not in ENGINES:
        return f"needs {spec.needs}" if spec.needs else f"no engine {spec.engine!r}"
    if refused := forbidden(spec):
        return refused
    if key := spec.options.get("key"):
        return "" if {key, f"{key}_FILE"} & os.environ.keys() else f"needs {spec.needs}"
    if needed := sources(spec):
        here = all(local(source.weights, source.revision) for source in needed)
        return "; ".join(problems(spec)) if here else f"needs {spec.needs}"
    return f"needs {spec.needs}" if spec.needs and not spec.options.get("url") else ""


def forbidden(spec: ModelSpec) -> str:
    """Why its licence does not let it run here; empty when it does."""
    if spec.commercial or not Settings().commercial:
        return ""
    return f"TROUPE_COMMERCIAL is set, and its licence, {spec.licence}, forbids commercial use"


def fail(text: str) -> NoReturn:
    console.print(text, style="red", highlight=False, markup=False)
    raise typer.Exit(1)
