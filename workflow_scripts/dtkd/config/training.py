"""The sections `train`, `pretrain`, `teachers` and `evaluation`: how networks are trained and tested."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, model_validator

from dtkd.common.fields import Count, Name, Positive, Section
from dtkd.config.model import OwnNetwork
from dtkd.config.places import Template

Outputs = Literal["full", "masked"]


LATER = {"micro_batch", "batch_norm", "patience", "milestones", "gamma", "label_smoothing", "class_balance", "mixup",
         "cutmix", "rand_augment", "clip_grad_norm", "ema", "layer_decay"}  # fmt: skip
"""Settings that older runs did not have: they are recorded only where they differ from their default."""


class RandAugment(Section):
    """Random changes of colour and shape (torchvision's RandAugment), the same for all frames of a clip.

    They are drawn with the clip, from its own seed: teachers see what students see.
    """

    operations: Count = Field(2, description="How many changes, one after the other.")
    magnitude: Annotated[int, Field(ge=0, le=30)] = Field(9, description="How strong they are.")


class Train(Section):
    """How networks are trained; `teachers.train` and `pretrain.train` say what differs there."""

    epochs: Count = Field(
        description="Passes over the training videos. More where the curves have not levelled off, fewer where they "
        "have for long."
    )
    batch_size: Count = Field(
        description="Clips of an optimiser step. Eq. 7 is over a batch, so that a change of it changes the method's "
        "weights."
    )
    optimiser: Literal["sgd", "adamw"] = Field(
        "sgd", description="SGD with momentum, or AdamW, which suits a small network that learns in few steps."
    )
    lr: Positive = Field(description="Learning rate. Change it with `batch_size` or `optimiser`.")
    momentum: Annotated[float, Field(ge=0, lt=1)] = Field(0.9, description="Momentum of `sgd`.")
    weight_decay: Annotated[float, Field(ge=0)] = Field(
        0.0, description="Weight decay of the optimiser. More against overfitting."
    )
    schedule: Literal["constant", "cosine", "step"] = Field(
        "constant",
        description="Of the learning rate. `cosine` ends at zero: for last epochs that are restless. `step`: at each "
        "of the `milestones` it is multiplied by `gamma`.",
    )
    milestones: tuple[Positive, ...] = Field(
        (), description="With `schedule: step`, the epochs after which the rate falls, such as `[10, 20]`."
    )
    gamma: Annotated[float, Field(gt=0, lt=1)] = Field(0.1, description="With `schedule: step`, what it falls by.")
    warmup_epochs: Annotated[float, Field(ge=0)] = Field(
        0.0,
        description="Epochs (also parts of one) over which the rate rises from a tenth to the whole. More where the "
        "first steps diverge.",
    )
    clips_per_video: Count = Field(
        1, description="Clips drawn of each video in an epoch. More where videos are long and few."
    )
    selection: Literal["best", "last", "validation"] = Field(
        "best",
        description="The epoch that counts. `best`: the one with the best test top-1 (the paper's rule). `last`: the "
        "last. `validation`: the one with the best top-1 on training videos that are held out; only that epoch and the "
        "last one see the test videos. Neither of the latter chooses anything on the test set.",
    )
    validation_fraction: Annotated[float, Field(gt=0, lt=1)] = Field(
        0.1,
        description="With `selection: validation`, the share of each class's training videos that is held out. What "
        "the lists keep together (a scene, a person) stays together; all runs of a list hold out the same videos.",
    )
    patience: Count | None = Field(
        None,
        description="With `selection: validation`: training ends after so many epochs without a better validation "
        "top-1; `null`: after `epochs`.",
    )
    label_smoothing: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.0,
        description="Share of a label that is spread over all classes (of a masked teacher, its own) in the "
        "cross-entropy of all trainings, in a student's beside its distillation. A control for soft targets: 0.1.",
    )
    class_balance: Literal["none", "sampling", "weights"] = Field(
        "none",
        description="Where classes have unequally many training videos. `weights`: in the cross-entropy each class "
        "counts the same. `sampling`: clips are drawn, with replacement, so that each class is as frequent; what is "
        "drawn twice in an epoch is the same clip, crop and flip included, as teachers know no others.",
    )
    mixup: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0,
        description="MixUp of baselines, teachers and pretrainings: α of the Beta distribution of the shares, such as "
        "0.2; `0`: none. Not of students, whose targets are of whole clips.",
    )
    cutmix: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        0.0, description="CutMix, as `mixup`. With both, each batch has one of the two by chance."
    )
    rand_augment: RandAugment | None = Field(None, description="Random changes of training clips; `null`: none.")
    clip_grad_norm: Positive | None = Field(
        None, description="The most that the gradient's norm is let to be. Set it where the loss becomes NaN."
    )
    ema: Annotated[float, Field(gt=0, lt=1)] | None = Field(
        None,
        description="Decay of a moving average of the weights, such as 0.999 of many steps, 0.9 of few: the averaged "
        "weights are tested and kept. Teachers that go on learning (`FT: false`) speak as they are.",
    )
    layer_decay: Annotated[float, Field(gt=0, le=1)] = Field(
        1.0,
        description="Each layer learns at the rate of the next one times this. Below 1 where pretrained features "
        "should stay. A layer is a child of the network or an entry of a list such as `blocks.3`; of `swin3d_t` a "
        "whole stage is one, so that published values, which are by block, mean less there.",
    )
    precision: Literal["auto", "fp32", "bf16", "fp16"] = Field(
        "auto",
        description="`auto`: on a GPU bf16 if it has it, else fp16; on a CPU fp32. `fp32` where the loss becomes NaN.",
    )
    micro_batch: Count | None = Field(
        None,
        description="At most that many clips pass through a network at a time; `null`: the whole batch. Set it where "
        "memory is short. The loss, and Eq. 7 in it, is still that of the whole batch.",
    )
    channels_last: bool = Field(
        False, description="Memory layout of weights and clips. Quicker on a CPU; measure it on a GPU."
    )
    compile: bool = Field(False, description="torch.compile: quicker steps, where there is a C++ compiler.")
    devices: Count = Field(
        1,
        description="GPUs of a node that share one training, a process each (on a CPU, processes). It needs "
        "`--resources gpu=N`.",
    )
    nodes: Count = Field(1, description="Computers that share one training, under SLURM.")
    batch_norm: Literal["local", "synced"] = Field(
        "local",
        description="With several `devices`: whether batch norms see the clips of their own GPU, as is usual, or of "
        "all GPUs (torch's SyncBatchNorm; not on a CPU), for few clips on each.",
    )

    def computing(self) -> dict[str, Any]:
        """How a training computes. It changes a result by rounding, and by what batch norms see where GPUs share it."""
        return self.model_dump(include={"channels_last", "compile", "devices", "nodes"})

    def learning(self) -> dict[str, Any]:
        """All other settings: they change the result."""
        fields = type(self).model_fields
        unused = {key for key in LATER if getattr(self, key) == fields[key].default}
        unused |= {"validation_fraction"} if self.selection != "validation" else set()
        return self.model_dump(mode="json", exclude={*self.computing(), *unused})

    @model_validator(mode="after")
    def _patience_has_a_measure(self) -> Train:
        if self.patience is not None and self.selection != "validation":
            raise ValueError(f"patience: selection: {self.selection} has no validation to wait for; set selection: "
                             "validation, or leave it out")  # fmt: skip
        return self

    @model_validator(mode="after")
    def _milestones_are_of_steps(self) -> Train:
        if (self.schedule == "step") != bool(self.milestones):
            raise ValueError(
                "milestones: schedule: step needs some" if not self.milestones else
                f"milestones: schedule: {self.schedule} has none; set schedule: step, or leave them out"
            )  # fmt: skip
        if list(self.milestones) != sorted(set(self.milestones)):
            raise ValueError(f"milestones: the first comes first (got {list(self.milestones)})")
        return self


class Pretrain(Section):
    """A training of each backbone on one of `datasets` before all else: the demo's stand-in for Kinetics-400.

    Needed by `model.weights: pretrain`; `pretrain: null` takes it away.
    """

    dataset: Name = Field(
        description="What the backbones are trained on (its list 1): a larger data set of your own, for example."
    )
    seed: int = Field(0, description="Seed of this training; `seeds` does not touch it.")
    dropout: Annotated[float, Field(ge=0, lt=1)] = Field(
        0.5, description="Dropout before the head. Less for small networks."
    )
    train: dict[str, Any] = Field(
        default_factory=dict, description="What differs from the section `train`, with its keys."
    )


class Teachers(OwnNetwork):
    """The specialists of the two subsets. Each has a head over all classes, and is trained on its subset's videos.

    Their network is the study's, or one of their own.
    """

    groups: dict[Name, OwnNetwork] = Field(
        {},
        description="Group of classes → what of its network a specialist has of its own, with the keys `backbone`, "
        "`weights`, `dropout`, `clip` and `pixels`, such as `{static: {backbone: swin3d_t}}`.",
    )

    outputs: Outputs = Field(
        "full",
        description="The classes that a teacher can predict. `full`: any class, by plain softmax, from its training to "
        "its evaluation. `masked`: its own subset's classes, as its logits outside it are −∞ before any softmax "
        "(decisions, row 5). A student's `teacher_outputs` says otherwise for its own two.",
    )
    checkpoints: dict[Name, dict[Name, Template]] = Field(
        {},
        description="Finished teachers, made elsewhere, of the study's `split`: data set → group → file, a "
        "`checkpoint.pt` of this project or the parameters alone, of the teacher's backbone with a head over all "
        "classes in the order of their labels. They are tested and teach, and are not trained; groups without a file "
        "are. `{list}` and `{seed}` in a path are the student's.",
    )
    train: dict[str, Any] | None = Field(
        default_factory=dict,
        description="What differs from the section `train` in the teachers' trainings, with its keys. In an overlay, "
        "`null` takes all of it away.",
    )


def _number(value: Any) -> Any:
    """A whole number that ``--config`` gives as a word."""
    return int(value) if isinstance(value, str) and value.isdecimal() else value


class Evaluation(Section):
    """How tables test on a video. (Trainings test on one centre crop of one centre clip after every epoch.)"""

    clips_per_video: Count = Field(
        1, description="Clips spread evenly over the video. Several to compare with work that tests on several."
    )
    crops_per_clip: Annotated[Literal[1, 3], BeforeValidator(_number)] = Field(
        1, description="Crops along the longer side; 3 needs `augment.fit: crop`."
    )
    average: Literal["softmax", "logits"] = Field(
        "softmax", description="What is averaged over clips and crops: probabilities or logits."
    )

    @property
    def file(self) -> str:
        """A run's predictions by this protocol; one centre crop of one centre clip is what training tests on itself."""
        if self.clips_per_video == self.crops_per_clip == 1:
            return "predictions.parquet"
        return f"predictions-{self.clips_per_video}x{self.crops_per_clip}-{self.average}.parquet"
