"""`troupe keys`: who may call when keys are required, and who administers."""

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from contracts.errors import NotFound
from contracts.settings import Settings
from store.database import Database
from store.keys import Keys

app = typer.Typer(no_args_is_help=True, help="API keys of programs that call.")
console = Console()


def keys() -> Keys:
    database = Database(Settings().tables_url)
    database.migrate()
    return Keys(database)


@app.command()
def new(name: str, admin: Annotated[bool, typer.Option(help="May also manage keys.")] = False) -> None:
    """Make a key. It is shown this once."""
    _, key = keys().create(name, "admin" if admin else "user")
    console.print(key, highlight=False, soft_wrap=True)


@app.command("list")
def list_keys() -> None:
    table = Table("id", "name", "role")
    for row in keys().all():
        table.add_row(row.id, row.name, row.role)
    console.print(table)


@app.command()
def revoke(key_id: str) -> None:
    """From now on nobody calls with it."""
    try:
        keys().revoke(key_id)
    except NotFound:
        console.print(f"[red]No key {key_id}.[/]", highlight=False)
        raise typer.Exit(1) from None
