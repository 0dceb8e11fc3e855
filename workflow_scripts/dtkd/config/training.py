"""The sections `train`, `pretrain`, `teachers` and `evaluation`: how networks are trained and tested."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from dtkd.config.fields import Count, Name, Positive, Section

Outputs = Literal["full", "masked"]


class Train(Section):
    epochs: Count
    batch_size: Count
    optimiser: Literal["sgd", "adamw"] = "sgd"
    lr: Positive
    momentum: Annotated[float, Field(ge=0, lt=1)] = 0.9
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    schedule: Literal["constant", "cosine"] = "constant"
    warmup_epochs: Annotated[float, Field(ge=0)] = 0.0
    clips_per_video: Count = 1
    selection: Literal["best", "last"] = "best"
    precision: Literal["auto", "fp32", "bf16", "fp16"] = "auto"
    micro_batch: Count | None = Field(None, description="clips that pass through a network at a time; null: the batch")
    channels_last: bool = Field(False, description="weights and clips in memory channel by channel of a pixel")
    compile: bool = Field(False, description="torch.compile")
    devices: Count = Field(1, description="processes of a training on each node, one a GPU")
    nodes: Count = Field(1, description="computers that share a training, under SLURM")

    def computing(self) -> dict[str, Any]:
        """How a training computes: what changes its result by rounding only, as `device` does."""
        return self.model_dump(include={"channels_last", "compile", "devices", "nodes"})

    def learning(self) -> dict[str, Any]:
        """All other settings: they change the result."""
        unused = {"micro_batch"} if self.micro_batch is None else set()
        return self.model_dump(exclude={*self.computing(), *unused})


class Pretrain(Section):
    """A backbone trained on one of `datasets` (list 1): the demo's stand-in for Kinetics-400."""

    dataset: Name
    seed: int = 0
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.5
    train: dict[str, Any] = Field(default_factory=dict, description="what differs from `train`")


class Teachers(Section):
    """The specialists of the two subsets: what they answer, and how their training differs from the others'.

    Each has a head over all classes and sees its subset's videos only. ``full``: its softmax is over all classes,
    wherever one is taken. ``masked``: its logits outside its subset are -inf before any softmax, in its training,
    in distillation and in evaluation.
    """

    outputs: Outputs = "full"
    train: dict[str, Any] | None = Field(default_factory=dict, description="what differs from `train`")


def _number(value: Any) -> Any:
    """A whole number that ``--config`` gives as a word."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Evaluation(Section):
    """How a trained model meets a test video: clips spread over time, crops along the longer side."""

    clips_per_video: Count = 1
    crops_per_clip: Annotated[Literal[1, 3], BeforeValidator(_number)] = 1
    average: Literal["softmax", "logits"] = "softmax"

    @property
    def file(self) -> str:
        """A run's predictions by this protocol; one centre crop of one centre clip is what training tests on itself."""
        if self.clips_per_video == self.crops_per_clip == 1:
            return "predictions.parquet"
        return f"predictions-{self.clips_per_video}x{self.crops_per_clip}-{self.average}.parquet"
