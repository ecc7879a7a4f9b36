"""Tokens a second of streamed chat completions, and time to the first: the cluster, vLLM alone, one at a time.

python -m benchmarks.chat [FOLDER]    # of a model; without: the starter's
python -m benchmarks.chat --larger    # the starter's layout with 230 million random weights, which say nothing
"""

import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from benchmarks.cluster import apart, machine
from benchmarks.ingress import percentiles
from benchmarks.writers import REQUESTS, Load, one_at_a_time, through_v1, vllm_alone
from contracts.catalog import CATALOG

STARTER = CATALOG / "starter" / "lm"
ROUNDS = 3  # of the systems in turn, so that a slow moment of the machine meets all


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        named = sys.argv[1] if len(sys.argv) > 1 else str(STARTER)
        folder = larger(Path(place) / "larger") if named == "--larger" else Path(named)
        rounds = [[apart(each, folder) for each in (through_v1, vllm_alone)] for _ in range(ROUNDS)]
        base = statistics.median(apart(one_at_a_time, folder) for _ in range(ROUNDS))
    print(machine())
    print(f"Model: {folder.name}; one at a time by transformers: {base:.0f} tokens/s\n")
    print("| clients | system | tokens/s | of vLLM alone | of one at a time | first token, p50 ms | p99 ms |")
    print("|---|---|---|---|---|---|---|")
    for clients in REQUESTS:
        cluster, alone = ([loads[clients] for loads in system] for system in zip(*rounds, strict=True))
        for name, loads in (("cluster", cluster), ("vLLM alone", alone)):
            p50, p99 = percentiles([first for load in loads for first in load.firsts_ms])
            ratios = f"{rate(loads) / rate(alone):.2f} | {rate(loads) / base:.1f}"
            print(f"| {clients} | {name} | {rate(loads):.0f} | {ratios} | {p50:.0f} | {p99:.0f} |")


def rate(loads: Sequence[Load]) -> float:
    return statistics.median(load.rate for load in loads)


def larger(place: Path) -> Path:
    """A model that costs more to run than its tokens cost to carry."""
    import torch
    from transformers import AutoTokenizer, LlamaConfig, LlamaForCausalLM

    AutoTokenizer.from_pretrained(STARTER).save_pretrained(place)
    sizes = {"hidden_size": 896, "intermediate_size": 2432, "num_hidden_layers": 23, "num_attention_heads": 14}
    config = LlamaConfig.from_pretrained(STARTER, **sizes, num_key_value_heads=14)
    torch.manual_seed(1)
    LlamaForCausalLM(config).bfloat16().save_pretrained(place)
    return place


if __name__ == "__main__":
    main()
