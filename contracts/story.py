"""A picture-book story, and the script that its film is made from."""

from pydantic import Field

from contracts.model import Contract


class Page(Contract):
    text: str = Field(min_length=1, max_length=1_000, description="What is told on the page.")
    picture: str = Field(min_length=1, max_length=1_000, description="What the page's picture shows.")


class Story(Contract):
    """What a chat model writes."""

    title: str = Field(min_length=1, max_length=200)
    hero: str = Field(min_length=1, max_length=300, description="What the main character looks like.")
    pages: list[Page] = Field(min_length=1, max_length=24)


class ScriptPage(Page):
    pieces: list[str] = Field(default=[], description="The text in speakable pieces; joined they give it back.")


class Script(Contract):
    """The content of script_data.json: a story, ready to be spoken."""

    title: str
    hero: str
    pages: list[ScriptPage] = Field(min_length=1, max_length=24)
