"""Any causal language model of transformers, on the CPU or a GPU: for what vLLM does not run.

Every request has its own cache and random numbers; they take turns, token by token.
"""

import asyncio
import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from contracts.chat import ChatDelta, ChatRequest, Usage
from contracts.errors import InvalidInput
from deployments.chat.decoding import Decoding
from deployments.chat.ending import Ending
from deployments.chat.prompting import prompt_of, template_of
from deployments.chat.sampling import Sampling
from deployments.pretrained import best_device, pretrained
from deployments.weights import folder

ADAPTERS = 8  # in memory, at most


class Transformers:
    """`weights`: a folder or an id on a hub; `dtype` by torch's name, `auto`: the weights' own.

    `template`: a file of catalog/templates in place of the model's own; `context` in tokens, 0: what the model has.
    """

    adapts = True

    def __init__(
        self,
        weights: str,
        revision: str = "",
        device: str = "",
        dtype: str = "auto",
        template: str = "",
        context: int = 0,
    ) -> None:
        self.weights, self.revision, self.device, self.dtype = weights, revision, device, dtype
        self.template_name, self.context = template, context
        self.turn, self.worn = threading.Lock(), ""
        self.tuned: Any = None  # the model as peft knows it, once it has had an adapter

    def load(self) -> None:
        """Weights that are neither here nor to be had: `Unavailable`."""
        from transformers import AutoModelForCausalLM, AutoTokenizer

        path = str(folder(self.weights, self.revision))
        self.device = self.device or best_device()
        self.tokenizer = pretrained(AutoTokenizer, path, "main")
        if not self.tokenizer.is_fast:
            raise InvalidInput(f"The tokenizer of {self.weights!r} is not one of `tokenizers`.", param="weights")
        model: Any = AutoModelForCausalLM.from_pretrained(path, dtype=self.dtype)
        self.model = model.to(self.device).eval()
        self.template = template_of(self.template_name, self.tokenizer)
        self.context = self.context or self.model.config.get_text_config().max_position_embeddings
        self.ends = _ends(self.model.generation_config.eos_token_id, self.tokenizer.eos_token_id)
        last_only = "logits_to_keep" in inspect.signature(self.model.forward).parameters
        self.last_only = {"logits_to_keep": 1} if last_only else {}  # a long prompt's would fill the memory
        self.grammars = self._grammars()

    def generate(self, request: ChatRequest) -> Iterator[ChatDelta]:
        """The answer, a token or a few at a time. The same seed gives the same text on one device."""
        prompt = prompt_of(request.messages, self.tokenizer, self.template, self.context)
        text, ending, count = Decoding(self.tokenizer.backend_tokenizer), Ending(request.stop), 0
        finish: Literal["stop", "length"] = "length"
        for token in islice(self._tokens(prompt, request), min(request.max_tokens, self.context - len(prompt))):
            count += 1
            if token in self.ends:
                finish = "stop"
                break
            if piece := ending.feed(text.step(token)):
                yield ChatDelta(text=piece)
            if ending.met:
                finish = "stop"
                break
        usage = Usage(prompt_tokens=len(prompt), completion_tokens=count)
        yield ChatDelta(text=ending.rest(), finish=finish, usage=usage)

    async def forget(self, adapter: str) -> None:
        """Unload the adapter of this folder, which nobody will name again."""
        await asyncio.to_thread(self._forget, adapter)

    def close(self) -> None:
        """Let the weights go."""
        self.model = None

    def _forget(self, adapter: str) -> None:
        with self.turn:
            name = Path(adapter).name
            if self.tuned is None or name not in self.tuned.peft_config:
                return
            if others := [each for each in self.tuned.peft_config if each != name]:
                self.tuned.set_adapter(others[0])
                self.tuned.delete_adapter(name)
                self.tuned.base_model.disable_adapter_layers()
            else:
                self.model, self.tuned = self.tuned.unload(), None
            self.worn = ""

    def _tokens(self, prompt: Sequence[int], request: ChatRequest) -> Iterator[int]:
        """Without end; the model works only while the next one is asked for."""
        import torch

        sampling = Sampling(request, self.device, self.grammars(request.json_schema))
        ids, cache = torch.tensor([prompt], device=self.device), None  # (1, length)
        while True:
            with self.turn:
                self._wear(request.adapter)
                with torch.inference_mode():
                    output = self.model(input_ids=ids, past_key_values=cache, use_cache=True, **self.last_only)
                    cache = output.past_key_values
                    ids = sampling.next(ids, output.logits[:, -1].float())  # (1, 1) of (1, vocabulary)
            yield int(ids)

    def _wear(self, adapter: str) -> None:
        """Answer with the adapter of this folder, or with none, from now on."""
        from peft import PeftModel

        if adapter == self.worn:
            return
        name = Path(adapter).name
        if not adapter:
            self.tuned.base_model.disable_adapter_layers()
        elif self.tuned is None:
            self.tuned = PeftModel.from_pretrained(self.model, adapter, name)
        else:
            if name not in self.tuned.peft_config:
                self.tuned.load_adapter(adapter, name)
            self.tuned.base_model.enable_adapter_layers()
            self.tuned.set_adapter(name)
            others = [each for each in self.tuned.peft_config if each != name]
            for old in others[: max(0, len(others) + 1 - ADAPTERS)]:
                self.tuned.delete_adapter(old)
        self.worn = adapter

    def _grammars(self) -> Callable[[dict[str, Any] | None], Any]:
        """Makes what holds an answer to a schema, compiled once for each schema."""
        import xgrammar

        size = self.model.get_output_embeddings().out_features
        told = xgrammar.TokenizerInfo.from_huggingface(
            self.tokenizer, vocab_size=size, stop_token_ids=sorted(self.ends)
        )
        compiler = xgrammar.GrammarCompiler(told, max_threads=1, cache_limit_bytes=64 << 20)

        def grammar(schema: dict[str, Any] | None) -> Any:
            if schema is None:
                return None
            try:
                return compiler.compile_json_schema(schema, any_whitespace=False)
            except (RuntimeError, ValueError) as error:
                raise InvalidInput("模型不能按这个 JSON Schema 输出。", param="json_schema") from error

        return grammar


def _ends(*told: int | list[int] | None) -> frozenset[int]:
    """The tokens that end an answer, as the checkpoint and its tokenizer tell them."""
    listed = (each if isinstance(each, list) else [each] for each in told if each is not None)
    return frozenset(token for tokens in listed for token in tokens)
