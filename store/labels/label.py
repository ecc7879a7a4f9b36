"""The implicit label of generated content: seven fields, one JSON object.

After GB 45438-2025 and TC260-PG-20258A, as reported by reprints and other implementations; the standard's own text
was not at hand.
"""

from typing import Annotated, Literal, Self

from pydantic import Field, ValidationError

from contracts.model import Contract

KEY = "AIGC"  # the name of the label in every format
LONGEST = 16_384  # characters of one label; a longer one is nobody's

Code = Annotated[str, Field(pattern=r"^[\x21-\x7e]*$", max_length=2_048)]


class Label(Contract):
    """Who generated a content and who passes it on. The names and their order are the standard's."""

    Label: Literal["1", "2", "3"] = Field(description="1: is generated, 2: may be, 3: is suspected to be.")
    ContentProducer: Code
    ProduceID: Code
    ReservedCode1: Code = Field("", description="Ours: the SHA-256 of the content before it was labelled.")
    ContentPropagator: Code = ""
    PropagateID: Code = ""
    ReservedCode2: Code = ""

    @classmethod
    def generated(cls, producer: str, produce_id: str, content_sha256: str) -> Self:
        """The first label of a content: the producer is also the first to pass it on."""
        return cls(
            Label="1",
            ContentProducer=producer,
            ProduceID=produce_id,
            ReservedCode1=content_sha256,
            ContentPropagator=producer,
            PropagateID=produce_id,
        )

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The label that a file carries; `None` when the text is not one."""
        if len(text) > LONGEST:
            return None
        try:
            return cls.model_validate_json(text)
        except ValidationError:
            return None

    def as_json(self) -> str:
        """Compact, in the order of the fields, ASCII."""
        return self.model_dump_json()
