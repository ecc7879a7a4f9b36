"""What an engine holds a story to: exactly its pages, and no length of a text, which is checked afterwards."""

import json

import pytest
import xgrammar
from transformers import AutoTokenizer

from contracts.catalog import CATALOG
from graphs.storybook import schema_of


@pytest.mark.parametrize(("pages", "whole"), [(5, False), (6, True), (7, False)])
def test_only_stories_of_so_many_pages_can_be_written(pages: int, whole: bool) -> None:
    tokenizer = AutoTokenizer.from_pretrained(CATALOG / "starter" / "lm")
    compiler = xgrammar.GrammarCompiler(xgrammar.TokenizerInfo.from_huggingface(tokenizer))
    matcher = xgrammar.GrammarMatcher(compiler.compile_json_schema(schema_of(6)))
    page = {"text": "小狐狸走出家门。" * 200, "picture": "早晨的森林"}
    written = json.dumps({"title": "小狐狸", "hero": "一只狐狸", "pages": [page] * pages}, ensure_ascii=False)
    assert matcher.accept_string(written) is whole
    assert "Length" not in json.dumps(schema_of(6))
