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
from deployments.registry import ENGINES
from deployments.weights import local, pulled

app = typer.Typer(help="List the catalogue, get weights.")
console = Console()
BY_HUB = {"chat", "classification", "detection", "transcription"}  # whole folders; the others' libraries get their own


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
    """Get a model's weights from the hub (TROUPE_HUB). An interrupted one goes on where it was."""
    try:
        spec = catalogue()[model]
        console.print(f"{spec.id}: {get(spec)}", highlight=False, markup=False)
    except KeyError:
        fail(f"No model {model!r} in the catalogue.")
    except ServiceError as problem:
        fail(problem.message)


def get(spec: ModelSpec) -> Path:
    """The folder of its weights, which are there then."""
    name = _hub_id(spec)
    if not name:
        fail(f"{spec.id} has no weights to get.")
    if spec.capability not in BY_HUB:
        fail(f"The weights of {spec.id} come when it is first served, by its engine's own library.")
    return local(name, spec.options.get("revision", "")) or pulled(name, spec.options.get("revision", ""))


def missing(spec: ModelSpec) -> str:
    """Why a model cannot run here; empty when it can."""
    if (spec.capability, spec.engine) not in ENGINES:
        return f"needs {spec.needs}" if spec.needs else f"no engine {spec.engine!r}"
    if key := spec.options.get("key"):
        return "" if {key, f"{key}_FILE"} & os.environ.keys() else f"needs {spec.needs}"
    if name := _hub_id(spec):
        return "" if local(name, spec.options.get("revision", "")) else f"needs {spec.needs}"
    return f"needs {spec.needs}" if spec.needs else ""


def _hub_id(spec: ModelSpec) -> str:
    """Where its weights are; faster-whisper has names of its own for sizes."""
    weights = str(spec.options.get("weights", ""))
    if spec.engine == "faster_whisper" and weights and "/" not in weights:
        return f"Systran/faster-whisper-{weights}"
    return weights


def fail(text: str) -> NoReturn:
    console.print(text, style="red", highlight=False, markup=False)
    raise typer.Exit(1)
