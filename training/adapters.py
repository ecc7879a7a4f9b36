"""Language models and their LoRA adapters (Hu et al. 2021; in four bits: QLoRA, Dettmers et al. 2023), by peft."""

import shutil
from pathlib import Path
from typing import Any

import torch

from contracts.errors import InvalidInput

FULL_BELOW = 1_000_000_000  # parameters: smaller models are merged in float32, larger ones in what they came in
TOKENIZER = (
    "tokenizer*",
    "special_tokens_map.json",
    "chat_template*",
    "vocab.*",
    "merges.txt",
    "generation_config.json",
)


def device_of() -> str:
    return "cuda" if torch.cuda.is_available() else "cpu"


def bf16_pays(device: str) -> bool:
    """Whether this machine multiplies bfloat16 in hardware."""
    if device == "cuda":
        return torch.cuda.is_bf16_supported()
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def tokenizer_of(folder: Path) -> Any:
    from transformers import AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder)
    if tokenizer.eos_token_id is None:
        raise InvalidInput("这个模型没有结束符，不能这样训练。", param="base_model")
    return tokenizer


def base_of(folder: Path, device: str, quantized: bool = False) -> Any:
    """The model that an adapter is for; on a CPU in float32, `quantized`: its matrices in four bits (nf4)."""
    from transformers import AutoModelForCausalLM

    dtype = torch.bfloat16 if device == "cuda" and bf16_pays(device) else torch.float32
    options = {"quantization_config": _in_four_bits(device), "device_map": {"": device}} if quantized else {}
    try:
        model: Any = AutoModelForCausalLM.from_pretrained(folder, dtype=dtype, **options)
    except ValueError as error:  # transformers says so of models that it does not know
        raise InvalidInput("这个模型的结构不支持这样训练。", param="base_model") from error
    return model if quantized else model.to(device)


def _in_four_bits(device: str) -> Any:
    from transformers import BitsAndBytesConfig

    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=torch.bfloat16 if bf16_pays(device) else torch.float32,
    )


def adapted(model: Any, rank: int, alpha: int, dropout: float, quantized: bool = False) -> Any:
    """The model with a new adapter at every linear layer but the last, which answers as before until it is taught."""
    from peft import LoraConfig, get_peft_model, prepare_model_for_kbit_training

    large = model.num_parameters() >= FULL_BELOW  # then time is given for memory
    if quantized:
        prepare: Any = prepare_model_for_kbit_training
        model = prepare(model, use_gradient_checkpointing=large)
    elif large:
        model.gradient_checkpointing_enable()
        model.enable_input_require_grads()
    config = LoraConfig(
        r=rank, lora_alpha=alpha, lora_dropout=dropout, target_modules="all-linear", task_type="CAUSAL_LM"
    )
    return get_peft_model(model, config)


def at_rest(model: Any) -> None:
    """Without dropout. Matrices in four bits do not rest: bitsandbytes 0.50 would pack them for good in a form that
    cannot be trained, on processors that multiply bfloat16.
    """
    model.eval()
    for module in model.modules():
        if type(module).__module__.startswith("bitsandbytes."):
            module.training = True


def merge(base: Path, adapter: Path, target: Path) -> None:
    """A model of its own, with the tokenizer of its base, that needs the adapter no more; `target` is made."""
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype="auto")
    if model.num_parameters() < FULL_BELOW:
        model = model.float()
    merged = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    merged.save_pretrained(target)
    for pattern in TOKENIZER:
        for file in base.glob(pattern):
            shutil.copyfile(file, target / file.name)
