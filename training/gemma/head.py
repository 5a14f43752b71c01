"""The loss over the learnt tokens, with the gradient worked out on the way.

Gemma's vocabulary of 262,144 makes the last layer most of a small model's work, and its scores most
of the memory. Here they exist for a few hundred tokens at a time, are computed once and for learnt
tokens only: the gradient at the last layer's input is known as soon as its scores are (Hsu et al.
2024, "Liger Kernel: Efficient Triton Kernels for LLM Training", arXiv:2410.10989, section 3.2).
TRL's loss computes the scores a second time for it, and rounds the tokens up to its chunk.
"""

from types import MethodType
from typing import Any, Final

import torch
from transformers.modeling_outputs import CausalLMOutputWithPast

from training.gemma.tokens import IGNORED

#: Tokens whose scores exist at once: 256 MB of them in fp32 with Gemma's vocabulary.
CHUNK: Final = 256


def learnt_loss(
    hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, chunk: int = CHUNK
) -> torch.Tensor:
    """The summed loss, in nats, of `labels` (batch, tokens) that are not IGNORED.

    `hidden` (batch, tokens, width) is the decoder's last output, and `weight` (vocabulary, width)
    the last layer's, which is not trained: it gets no gradient. Scores exist for `chunk` tokens.
    """
    wanted = labels[:, 1:]
    kept = wanted != IGNORED
    loss: torch.Tensor = _Summed.apply(hidden[:, :-1][kept], weight, wanted[kept], chunk)
    return loss


def with_learnt_loss(model: Any) -> None:
    """Let a PEFT model on Gemma-3 compute its loss this way wherever it is given labels."""
    base = model.get_base_model()
    whole, head = base.forward, base.get_output_embeddings()

    def forward(self: Any, labels: Any = None, num_items_in_batch: Any = None, **given: Any) -> Any:
        if labels is None:
            return whole(**given)
        hidden = self.base_model(**given).last_hidden_state
        loss = learnt_loss(hidden, head.weight, labels)
        if num_items_in_batch is None:
            num_items_in_batch = (labels[:, 1:] != IGNORED).sum().clamp(min=1)
        return CausalLMOutputWithPast(loss=loss / num_items_in_batch)

    base.forward = MethodType(forward, base)


class _Summed(torch.autograd.Function):
    """Cross-entropy of (tokens, width) against (tokens) labels, summed."""

    @staticmethod
    def forward(
        ctx: Any, hidden: torch.Tensor, weight: torch.Tensor, labels: torch.Tensor, chunk: int
    ) -> torch.Tensor:
        weight = weight.to(hidden.dtype)
        loss = torch.zeros((), device=hidden.device)
        slope = torch.empty_like(hidden) if ctx.needs_input_grad[0] else None
        for start in range(0, len(labels), chunk):
            part = slice(start, start + chunk)
            chosen = labels[part, None]
            scores = (hidden[part] @ weight.T).float()
            total = scores.logsumexp(-1, keepdim=True)
            loss += (total - scores.gather(1, chosen)).sum()
            if slope is not None:
                chances = scores.sub_(total).exp_()
                chances.scatter_add_(1, chosen, torch.full_like(total, -1.0))
                slope[part] = chances.to(hidden.dtype) @ weight
        ctx.save_for_backward(slope)
        return loss

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> Any:
        (slope,) = ctx.saved_tensors
        return slope * grads[0].to(slope.dtype), None, None, None
