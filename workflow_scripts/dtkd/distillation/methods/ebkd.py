"""Teachers weighed by how sure they are (Kwon et al., 2020)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from dtkd.distillation.methods.weighed import Weighed

if TYPE_CHECKING:
    from torch import Tensor


class EBKD(Weighed):
    """w_k = (1 - H_k / sum over j of H_j) / (K - 1), H_k the entropy of softmax(t_k), at temperature 1.

    Kwon et al., "Adaptive Knowledge Distillation Based on Entropy", ICASSP 2020. Where no teacher has any doubt, all
    weigh alike.
    """

    name: ClassVar[str] = "ebkd"
    label: ClassVar[str] = "EBKD"
    summary: ClassVar[str] = "teachers weighed by the entropy of what they say, the surer the more (Kwon et al., 2020)"

    def weigh(self, said: Tensor, labels: Tensor) -> Tensor:
        import torch

        from dtkd.distillation import divergences

        H = divergences.entropy(said.softmax(dim=-1))
        total, K = H.sum(0), len(said)
        shares = torch.where(total > 0, H / torch.where(total > 0, total, 1.0), 1 / K)
        return (1 - shares) / (K - 1)
