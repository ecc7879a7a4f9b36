"""The text of tokens that come one by one."""

from typing import Any

from tokenizers.decoders import DecodeStream


class Decoding:
    """A character of several tokens comes with its last one; bytes that turn out to be none are left out."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self._stream = tokenizer, DecodeStream(skip_special_tokens=True)

    def step(self, token: int) -> str:
        try:
            return self._stream.step(self.tokenizer, token) or ""
        except Exception as error:  # the library has no kind of its own
            if "Invalid prefix" not in str(error):
                raise
        self._stream = DecodeStream(skip_special_tokens=True)
        return self._stream.step(self.tokenizer, token) or ""
