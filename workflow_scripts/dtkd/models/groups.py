"""Parameters that train otherwise than the rest of a network."""

from typing import Any

from torch import nn

POSITIONS = (
    "relative_position_bias_table", "rel_pos_h", "rel_pos_w", "rel_pos_t",  # Swin's; MViTv2's
    "pos_embed_spatial", "pos_embed_temporal", "pos_embed_class", "cls_token",  # pytorchvideo's MViT
    "spatial_pos", "temporal_pos", "class_pos", "class_token",  # torchvision's
    "position_embeddings", "time_embeddings",  # Hugging Face's
)  # fmt: skip


def without_decay(model: nn.Module) -> list[dict[str, Any]]:
    """Norms, biases, tokens and tables of positions have no weight decay, as in the published recipes of transformers.

    A timm network itself names further ones (its `no_weight_decay`).
    """
    named = set(model.no_weight_decay()) if hasattr(model, "no_weight_decay") else set()
    free = [
        parameter
        for name, parameter in model.named_parameters()
        if parameter.dim() <= 1 or name.rpartition(".")[2] in POSITIONS or name in named
    ]
    return [{"params": free, "weight_decay": 0.0}]
