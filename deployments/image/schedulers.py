"""Ways to take the steps of a diffusion, by the names that callers give them.

https://huggingface.co/docs/diffusers/api/schedulers/overview
"""

from typing import Any

import diffusers

from contracts.errors import InvalidInput

SCHEDULERS: dict[str, tuple[str, dict[str, Any]]] = {  # its class, and what is set beside the model's own numbers
    "ddim": ("DDIMScheduler", {}),
    "pndm": ("PNDMScheduler", {}),
    "lms": ("LMSDiscreteScheduler", {}),
    "euler": ("EulerDiscreteScheduler", {}),
    "euler_a": ("EulerAncestralDiscreteScheduler", {}),
    "heun": ("HeunDiscreteScheduler", {}),
    "dpm++": ("DPMSolverMultistepScheduler", {"algorithm_type": "dpmsolver++"}),
    "dpm++_sde": ("DPMSolverMultistepScheduler", {"algorithm_type": "sde-dpmsolver++"}),
    "unipc": ("UniPCMultistepScheduler", {}),
}


def scheduler(own: Any, name: str) -> Any:
    """A new one with the numbers of the model's `own`: some remember the picture before.

    `InvalidInput` for one that does not work with this kind of model.
    """
    if not name:
        return own.from_config(own.config)
    kind, options = SCHEDULERS[name]
    found = getattr(diffusers, kind)
    if found not in own.compatibles:
        raise InvalidInput("这个模型不能用这种采样器。", param="scheduler")
    return found.from_config(own.config, **options)
