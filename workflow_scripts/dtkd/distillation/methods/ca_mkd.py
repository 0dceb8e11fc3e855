"""Teachers weighed by how right they are (Zhang et al., 2022)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dtkd.distillation.methods.weighed import Weighed

if TYPE_CHECKING:
    from torch import Tensor


class CAMKD(Weighed):
    """w_k = (1 - exp(CE_k) / sum over j of exp(CE_j)) / (K - 1), CE_k the cross-entropy of t_k and the label.

    The part by logits of Zhang, Chen and Wang, "Confidence-Aware Multi-Teacher Knowledge Distillation", ICASSP 2022
    (arXiv 2201.00007; code: Rorozhl/CA-MKD). Of a teacher that cannot predict the label CE is infinite: several of
    these share alike, which is the limit where their losses grow together.
    """

    name: ClassVar[str] = "ca_mkd"
    label: ClassVar[str] = "CA-MKD"
    summary: ClassVar[str] = "teachers weighed by their cross-entropy, the righter the more (Zhang et al., 2022)"

    def weigh(self, said: Tensor, labels: Tensor) -> Tensor:
        import torch

        CE = -said.log_softmax(dim=-1).gather(-1, labels.expand(len(said), -1).unsqueeze(-1)).squeeze(-1)
        cannot = CE.isposinf()
        finite = torch.where(cannot, 0.0, CE).softmax(dim=0)
        shares = torch.where(cannot.any(0), cannot / cannot.sum(0).clamp(min=1), finite)
        return (1 - shares) / (len(said) - 1)
