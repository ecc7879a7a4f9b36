"""Requests without an adapter, in a batch with others that have one: on a CPU vLLM 0.32 answers them wrongly.

They have the number -1, and its torch operators (`vllm.lora.ops.torch_ops`) take it for the adapter loaded last.
"""

from typing import Any


def mend() -> None:
    """In this process, adapters touch only who asked for one. GPUs have operators of their own."""
    from vllm.lora.ops.torch_ops import lora_ops
    from vllm.lora.punica_wrapper import punica_cpu

    shrink, users = lora_ops.bgmv_shrink, (lora_ops, punica_cpu)
    if getattr(shrink, "mended", False):
        return

    def mended(inputs: Any, weights: Any, output: Any, indices: Any, scaling: float = 1.0) -> None:
        shrink(inputs, weights, output, indices, scaling)
        output[indices < 0] = 0  # (tokens, rank): what is expanded from nothing is nothing

    vars(mended)["mended"] = True
    for module in users:
        vars(module)["bgmv_shrink"] = mended
