"""vLLM: all requests in one batch that changes with every token (Kwon et al. 2023). The same code on CPU and GPU.

The engine works in a process of its own, which can die; then nothing runs here any more (`check_health`).
"""

import asyncio
import json
import os
import time
import uuid
from collections.abc import AsyncGenerator
from contextlib import aclosing
from itertools import count
from pathlib import Path
from typing import Any, Literal

from contracts.chat import ChatDelta, ChatRequest, Usage
from contracts.errors import EngineFailed, InvalidInput, Unavailable
from deployments.chat.prompting import prompt_of, template_of
from deployments.weights import folder, is_pinned

AWAY = "语言模型正在重新启动，请稍后再试。"
AWAY_S = 10.0
GUIDED = "deployments.chat.guiding:Guided"
MOST_SEED = 2**63 - 1
FINISHED: dict[str | None, Literal["stop", "length"]] = {"stop": "stop", "length": "length"}
PIECES = 500  # a second, of all answers together: each costs every process on its way, so what comes between is joined
CROWD, TOGETHER = 8, 4  # from so many answers at once, each comes so many tokens at a time; its first comes at once


class Vllm:
    """`weights`: a folder or an id on a hub; `dtype` by torch's name, `auto`: the weights' own.

    `template`: a file of catalog/templates in place of the model's own; `context` in tokens, 0: what the model has.
    On GPUs: over how many it is spread, and which part of their memory is its own. On a CPU: GiB for what was read.
    `adapters` of LoRA may be loaded at once, of ranks up to `adapter_rank`; 0: none can be.
    `guided`: held to a request's `verbatim` words and `clauses`, for small models (`deployments.chat.guiding`).
    `eager`: nothing is compiled, it is ready sooner and works slower.
    `remote_code`: run Python that comes with the weights; pin their revision then.
    """

    def __init__(
        self,
        weights: str,
        revision: str = "",
        dtype: str = "auto",
        template: str = "",
        context: int = 0,
        tensor_parallel_size: int = 1,
        gpu_memory_utilization: float = 0.9,
        cpu_cache_gib: int = 1,
        adapters: int = 0,
        adapter_rank: int = 16,
        guided: bool = False,
        eager: bool = False,
        remote_code: bool = False,
    ) -> None:
        self.weights, self.revision, self.template_name, self.cpu_cache_gib = weights, revision, template, cpu_cache_gib
        self.engine: Any = None
        self.guided = guided
        self.adapts, self.adapter_rank = bool(adapters), adapter_rank
        self.adapter_ids, self.adapter_numbers = dict[str, int](), count(1)  # a number is never given twice
        lora = {"enable_lora": True, "max_loras": adapters, "max_lora_rank": adapter_rank} if adapters else {}
        self.arguments: dict[str, Any] = lora | {
            "dtype": dtype,
            "max_model_len": context or None,
            "tensor_parallel_size": tensor_parallel_size,
            "gpu_memory_utilization": gpu_memory_utilization,
            "enforce_eager": eager,
            "trust_remote_code": remote_code,
        }

    def load(self) -> None:
        """Weights that are neither here nor to be had: `Unavailable`."""
        os.environ.setdefault("VLLM_CPU_KVCACHE_SPACE", str(self.cpu_cache_gib))
        os.environ.setdefault("VLLM_NO_USAGE_STATS", "1")
        os.environ.setdefault("VLLM_LOGGING_LEVEL", "WARNING")
        if self.guided:
            os.environ["VLLM_USE_V2_MODEL_RUNNER"] = "0"  # its loader takes no logits processors of others
        from vllm.config import StructuredOutputsConfig
        from vllm.engine.arg_utils import AsyncEngineArgs
        from vllm.platforms import current_platform
        from vllm.v1.engine.async_llm import AsyncLLM

        if current_platform.is_cpu():
            # A seeded request whose prompt is read in two steps ends the engine: vLLM 0.32 then turns its random
            # numbers back, which a generator of a CPU cannot ("CPU Generator does not use offset").
            self.arguments["enable_chunked_prefill"] = False
        arguments = AsyncEngineArgs(
            model=str(self._folder()),
            enable_prefix_caching=True,
            disable_log_stats=True,
            # Which it takes of itself depends on the first schema that it meets, and then holds for all others.
            structured_outputs_config=StructuredOutputsConfig(backend="xgrammar"),
            logits_processors=[GUIDED] if self.guided else None,
            generation_config="vllm",  # a request says how it is sampled, a checkpoint's defaults do not
            **self.arguments,
        )
        self.engine = AsyncLLM.from_engine_args(arguments)
        self.context: int = self.engine.model_config.max_model_len
        self.template = template_of(self.template_name, self.engine.get_tokenizer())

    def _folder(self) -> Path:
        """Python that comes with weights is run of the pinned revision only."""
        place = folder(self.weights, self.revision)
        if self.arguments["trust_remote_code"] and not is_pinned(place):
            raise Unavailable(f"{self.weights} 自带程序代码，只能从 Hugging Face 按固定版本获取，或使用本地目录。")
        return place

    async def generate(self, request: ChatRequest) -> AsyncGenerator[ChatDelta]:
        """The answer as it is written, its first token at once; the more answers, the larger their pieces."""
        from vllm.exceptions import VLLMClientError
        from vllm.v1.engine.exceptions import EngineDeadError, EngineGenerateError

        tokenizer = self.engine.get_tokenizer()
        prompt = await asyncio.to_thread(prompt_of, request.messages, tokenizer, self.template, self.context)
        try:
            async with aclosing(self._deltas(request, prompt)) as deltas:
                async for delta in deltas:
                    yield delta
        except EngineDeadError as error:
            raise Unavailable(AWAY, retry_after_s=AWAY_S) from error
        except VLLMClientError as error:
            param = "json_schema" if request.json_schema is not None else None
            raise InvalidInput(f"语言模型不接受这个请求：{error}", param=param) from error
        except EngineGenerateError as error:
            raise EngineFailed("语言模型没能写完。") from error

    def check_health(self) -> None:
        """Raises `Unavailable` once the engine's process is dead."""
        if self.engine and self.engine.errored:
            raise Unavailable(AWAY, retry_after_s=AWAY_S)

    def close(self) -> None:
        """End the engine's process."""
        if self.engine:
            self.engine.shutdown()
            self.engine = None

    async def forget(self, adapter: str) -> None:
        """Unload the adapter of this folder, which nobody will name again."""
        if number := self.adapter_ids.pop(adapter, 0):
            await self.engine.remove_lora(number)

    async def _deltas(self, request: ChatRequest, prompt: list[int]) -> AsyncGenerator[ChatDelta]:
        """Closing it takes the request out of the batch."""
        from vllm.inputs import tokens_input

        lora = self._lora(request.adapter)
        asked = self._sampling(request, self.context - len(prompt)), uuid.uuid4().hex
        text, written, next_s = "", 0, 0.0
        async with aclosing(self.engine.generate(tokens_input(prompt), *asked, lora_request=lora)) as outputs:
            async for output in outputs:
                (answer,) = output.outputs
                text, written = text + answer.text, written + len(answer.token_ids)
                if output.finished:
                    usage = Usage(prompt_tokens=len(prompt), completion_tokens=written)
                    yield ChatDelta(text=text, finish=_finish(answer.finish_reason), usage=usage)
                elif text and (now_s := time.monotonic()) >= next_s:
                    yield ChatDelta(text=text)
                    text, next_s = "", now_s + self.engine.get_num_unfinished_requests() / PIECES

    def _lora(self, adapter: str) -> Any:
        """vLLM loads an adapter with its first request, and lets those go that were not asked for longest."""
        from vllm.lora.request import LoRARequest

        if not adapter:
            return None
        if adapter not in self.adapter_ids:
            self._check_rank(adapter)
            self.adapter_ids[adapter] = next(self.adapter_numbers)
        return LoRARequest(adapter, self.adapter_ids[adapter], adapter)

    def _check_rank(self, adapter: str) -> None:
        """One that is too large would end the engine."""
        rank = json.loads((Path(adapter) / "adapter_config.json").read_text(encoding="utf-8"))["r"]
        if rank > self.adapter_rank:
            raise Unavailable(
                f"这个微调模型的 lora_r 为 {rank}，本集群最多加载 {self.adapter_rank}：请调大 adapter_rank。",
                param="model",
            )

    def _sampling(self, request: ChatRequest, room: int) -> Any:
        """`room`: tokens that the context has left."""
        from vllm.sampling_params import RequestOutputKind, SamplingParams, StructuredOutputsParams

        from deployments.chat.guiding import guided

        extra, schema = guided(request, self.engine.get_tokenizer()) if self.guided else (None, request.json_schema)
        crowded = self.engine.get_num_unfinished_requests() >= CROWD
        return SamplingParams(
            extra_args=extra,
            stream_interval=TOGETHER if crowded else 1,
            max_tokens=min(request.max_tokens, room),
            temperature=request.temperature,
            top_p=request.top_p,
            frequency_penalty=request.frequency_penalty,
            presence_penalty=request.presence_penalty,
            seed=None if request.seed is None else request.seed & MOST_SEED,  # to vLLM -1 is none
            stop=request.stop,
            output_kind=RequestOutputKind.DELTA,
            structured_outputs=None if schema is None else StructuredOutputsParams(json=json.dumps(schema)),
        )


def _finish(reason: str | None) -> Literal["stop", "length"]:
    if reason in FINISHED:
        return FINISHED[reason]
    raise EngineFailed("语言模型没能写完。")
