"""Documented examples: what is asked, and whether an answer is what the document says."""

import re
from pathlib import Path
from typing import Any

import yaml

TYPES: dict[str, type] = {"string": str, "number": int, "boolean": bool, "fraction": float, "any": object}


def examples(family: str) -> list[dict[str, Any]]:
    return yaml.safe_load((Path(__file__).parent / f"contract/{family}.yaml").read_text(encoding="utf-8"))


def check(value: Any, wanted: Any, call: str) -> None:
    """Every documented field, with its type or its value; and no others."""
    if isinstance(wanted, list):
        assert isinstance(value, list) and value, call
        for item in value:
            check(item, wanted[0], call)
    elif isinstance(wanted, dict):
        assert value.keys() == wanted.keys(), call
        for name, kind in wanted.items():
            check(value[name], kind, f"{call} {name}")
    elif isinstance(wanted, str) and wanted in TYPES:
        assert type(value) is TYPES[wanted] or wanted == "any", call
    else:
        assert value == wanted, call


def filled(value: Any, known: dict[str, Any]) -> Any:
    """The value with what earlier answers gave in place of `{names}`."""
    if isinstance(value, dict):
        return {key: filled(each, known) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(each, known) for each in value]
    return re.sub(r"\{(\w+)\}", lambda name: str(known[name[1]]), value) if isinstance(value, str) else value
