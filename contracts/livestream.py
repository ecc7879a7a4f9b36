"""Livestream copy: what a seller tells of a product, and the text that comes back."""

from pydantic import Field

from contracts.advertising import Flag
from contracts.model import Contract


class Product(Contract):
    """The seller's own words. What is empty is not mentioned; everything else stands in the copy."""

    name: str = Field(min_length=1)
    features: list[str] = []
    audience: str = ""
    price: str = ""
    promotion: str = ""

    def facts(self) -> list[str]:
        """All of them."""
        return [fact for fact in (self.name, *self.features, self.audience, self.price, self.promotion) if fact.strip()]


class Draft(Contract):
    """The next piece of what the model writes, unchecked. `restarted`: it begins anew, forget the pieces before."""

    text: str
    restarted: bool = False


class Copy(Contract):
    """The checked text, and what advertising law has against it: rewritten, or kept because it is a fact."""

    text: str
    flags: list[Flag]
    model: str = Field("", description="Who wrote it; empty: nobody had to.")


class Refined(Copy):
    """The text after one step of the wizard, the step that it is at now, and what may be done there."""

    next_step: int
    actions: list[str]
