"""A plugin of vLLM's: every process of its engine asks for AMX before it works, and ends with who started it.

Linux gives a process AMX tiles only on request (arch_prctl `ARCH_REQ_XCOMP_PERM`). vLLM's CPU kernels use them for
bfloat16 without asking, and a single short request ends the engine with SIGILL. torch asks, when it is told to.
"""


def request_tiles() -> None:
    """Does nothing on processors without AMX; the rest is done everywhere (`lora_on_cpu`, `orphans`)."""
    import torch

    from deployments.chat.lora_on_cpu import mend
    from deployments.chat.orphans import end_with_parent

    if ask := getattr(torch.cpu, "_init_amx", None):
        ask()
    mend()
    end_with_parent()
