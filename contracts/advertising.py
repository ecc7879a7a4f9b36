"""Words that China's advertising law forbids, as data: catalog/advertising.yaml."""

from functools import cache
from typing import Annotated

import yaml
from pydantic import BeforeValidator

from contracts.catalog import CATALOG
from contracts.model import Contract

Expressions = Annotated[list[str], BeforeValidator(lambda text: text.split() if isinstance(text, str) else text)]


class Rule(Contract):
    """Regular expressions, for text in half-width lower case, with one reason and one replacement.

    `exceptions` are longer expressions in which a term is innocent.
    """

    terms: Expressions
    exceptions: Expressions = []
    replacement: str
    reason: str


class Flag(Contract):
    """A forbidden term and where it stands, `end` excluded, in characters. Rewritten: where the replacement stands."""

    term: str
    start: int
    end: int
    reason: str
    replacement: str
    rewritten: bool = False


@cache
def rules() -> list[Rule]:
    """The list as it was when the process first asked."""
    entries = yaml.safe_load((CATALOG / "advertising.yaml").read_text(encoding="utf-8"))
    reasons: dict[str, str] = entries["reasons"]
    return [Rule.model_validate(entry | {"reason": reasons[entry["reason"]]}) for entry in entries["rules"]]
