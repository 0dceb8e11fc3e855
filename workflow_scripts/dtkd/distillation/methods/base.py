"""What a distillation method is: its settings, which teachers it asks, and its loss.

Read by the Snakefile at every start through the config, so that nothing here imports torch before it computes.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Collection, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, NamedTuple

from pydantic import Field

from dtkd.common.errors import DtkdError
from dtkd.common.fields import Fraction, Positive, Section

if TYPE_CHECKING:
    from torch import Tensor, nn

Teachers = Literal["specialists", "generalist", "both"]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Temperature = Annotated[Positive, Field(description="Temperature of the softened distributions (Eqs. 2, 3).")]
Share = Annotated[
    Fraction,
    Field(description="Share of distillation in the loss; the rest is cross-entropy with the labels (Eq. 13)."),
]


class Labels(NamedTuple):
    """How cross-entropy takes the labels (`equations.student_loss`)."""

    smoothing: float = 0.0
    class_weights: Tensor | None = None  # (C,)


class Target(NamedTuple):
    """What the N samples of a batch are taught. Of the whole batch, as Eq. 7 compares its samples with one another."""

    q: Tensor | None  # (N, C), a distribution (or less than one) over the classes; None where it follows from `logits`
    weights: dict[str, Tensor]  # teacher -> (N,), of each sample
    logits: Mapping[str, Tensor] = MappingProxyType({})  # teacher -> (N, C), for a loss that reads each teacher's
    features: Mapping[str, Tensor] = MappingProxyType({})  # teacher -> (N, D_k), pooled, for a loss that compares them
    labels: Labels = Labels()

    def rows(self, rows: Tensor) -> Target:
        """The target of some samples, by their numbers (n,)."""
        return Target(
            None if self.q is None else self.q[rows],
            {name: weights[rows] for name, weights in self.weights.items()},
            {name: logits[rows] for name, logits in self.logits.items()},
            {name: features[rows] for name, features in self.features.items()},
            self.labels,
        )


class Loss(NamedTuple):
    """A loss, its parts, and what weighed in it."""

    total: Tensor  # (), what a step minimises; with gradients
    kd: Tensor  # (), distillation's part
    ce: Tensor  # (), the labels' part
    weights: dict[str, Tensor]  # teacher -> (N,); empty where nothing is weighed


class Method(Section):
    """A distillation method; an instance has its settings, which are keys of a row of `students`.

    A new one is a module with a subclass, which `methods.register` adds. Fields are its settings: numbers and
    words, each with a description. What a student needs beside them (its teachers, its list) follows from ``teachers``.
    """

    name: ClassVar[str]
    """What a row's `method` says."""
    label: ClassVar[str]
    """What tables and figures call it."""
    summary: ClassVar[str]
    """A sentence for the docs."""
    teachers: ClassVar[Teachers] = "specialists"
    """`specialists`: one for each group of classes; `generalist`: one baseline for all classes; `both`."""
    alternatives: ClassVar[tuple[Teachers | Literal["baselines"], ...]] = ()
    """Which other teachers a row of `students` may choose; `baselines`: several of them, by name."""
    fewest: ClassVar[int] = 1
    """How many teachers it takes at least."""
    whole_batch: ClassVar[bool] = False
    """Whether its loss compares the samples of a batch, so that no part of one has a loss of its own."""
    needs_features: ClassVar[bool] = False
    """Whether its loss reads pooled features, the student's (`loss_of` has them as ``features``) and the teachers'."""
    symbols: ClassVar[dict[str, str]] = {}
    """The letters that stand before numbers in a run's name, in their order there."""
    later: ClassVar[frozenset[str]] = frozenset()
    """Settings that older runs did not have: they are recorded only where they differ from their default."""
    weighs: ClassVar[bool] = False
    """Whether it gives teachers weights that figures show."""

    @abstractmethod
    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        """What a whole batch is taught, by what the teachers say to it; it does not depend on the student.

        Args:
            teacher_logits: teacher -> (N, C), -inf for classes that it cannot predict; specialists in their groups'
                order, a generalist alone.
            labels: (N,), integers.
            groups: (C,), integers: the number of each class's specialist.
        """

    @abstractmethod
    def loss_of(self, student_logits: Tensor, target: Target, labels: Tensor) -> Loss:
        """The mean loss of samples: the student's logits (n, C), what they are taught, and their labels (n,).

        Of a method that ``needs_features`` it has a fourth argument ``features``: teacher -> the student's, as its
        regressor makes them.
        """

    def loss(
        self, student_logits: Tensor, teacher_logits: Mapping[str, Tensor], *, labels: Tensor,
        groups: Tensor | None = None, student_features: Tensor | Mapping[str, Tensor] | None = None,
        teacher_features: Mapping[str, Tensor] | None = None,
    ) -> Loss:  # fmt: skip
        """The loss of a batch of N samples.

        Args:
            student_logits: (N, C).
            teacher_logits: teacher -> (N, C); of specialists in the order of their groups' numbers. -inf for classes
                that a teacher cannot predict. They send no gradient. One for all classes beside specialists stands
                last, and is called `generalist`.
            labels: (N,), integers.
            groups: (C,), integers: the number of each class's specialist; a generalist has none.
            student_features: (N, D), pooled, of a method that ``needs_features``; of one with `regressors`, teacher ->
                what its regressor makes of them, (N, D_k).
            teacher_features: teacher -> (N, D_k), pooled. They send no gradient.

        Raises:
            DtkdError: features are missing, shapes disagree, a specialist has no class, or there are too few or many
                teachers.
        """
        import torch

        from dtkd.distillation import equations

        self.check_teachers(teacher_logits)
        detached = {name: logits.detach() for name, logits in teacher_logits.items()}
        equations.check_shapes(student_logits, list(detached.values()), labels)
        if groups is None:
            groups = torch.zeros(student_logits.shape[-1], dtype=torch.long, device=labels.device)
        target = self.target(detached, labels, groups)
        if not self.needs_features:
            return self.loss_of(student_logits, target, labels)
        theirs = {name: features.detach() for name, features in (teacher_features or {}).items()}
        if isinstance(student_features, torch.Tensor):
            student_features = dict.fromkeys(teacher_logits, student_features)
        return self.loss_of(student_logits, target._replace(features=theirs), labels, student_features)

    def regressors(self, width: int, widths: Mapping[str, int]) -> nn.ModuleDict | None:
        """What maps a student's features to each teacher's width and trains with the student; None: nothing does.

        Args:
            width: the student's.
            widths: teacher -> its own.
        """
        return None

    def check_features(
        self, teachers: Collection[str], features: Mapping[str, Tensor] | None, where: str
    ) -> Mapping[str, Tensor]:
        """The features, once there are some for every teacher; DtkdError, which names ``where``, if not."""
        if missing := [name for name in teachers if name not in (features or {})]:
            raise DtkdError(f"method {self.name} compares features: {where} has none for {', '.join(missing)}")
        assert features is not None
        return features

    def check_teachers(self, names: Collection[str]) -> None:
        """Raise DtkdError where a student cannot learn from teachers of these names by this method."""
        count = len(names)
        if count < self.fewest:
            raise DtkdError(
                f"method {self.name} weighs teachers against each other: it takes {self.fewest} or more, not {count}"
            )
        if self.teachers == "generalist" and not self.alternatives and count > 1:
            raise DtkdError(f"method {self.name} takes one teacher, not {count}; average takes several")

    def unused(self) -> set[str]:
        """Settings that the others make idle: they stand in no record and no name."""
        return set()

    def settings(self) -> dict[str, Any]:
        """What determines its result."""
        fields = type(self).model_fields
        usual = {key for key in self.later if getattr(self, key) == fields[key].default}
        return self.model_dump(include=fields.keys() - self.unused() - usual)

    def numbers(self) -> list[str]:
        """Its numbers with their symbols, as a run's name has them."""
        return [f"{symbol}{getattr(self, key):g}" for key, symbol in self.symbols.items() if key not in self.unused()]

    def words(self) -> dict[str, str]:
        """Its other settings where they are not the usual ones, by key."""
        return {
            key: word(key, getattr(self, key))
            for key, field in type(self).model_fields.items()
            if key not in self.symbols and key not in self.unused() and getattr(self, key) != field.default
        }


class OfLogits(Method):
    """A method whose loss reads what each teacher says: nothing is made of that beforehand."""

    def target(self, teacher_logits: Mapping[str, Tensor], labels: Tensor, groups: Tensor) -> Target:
        return Target(None, {}, dict(teacher_logits))


def word(key: str, value: Any) -> str:
    """A setting in a run's name: a word as it is, a switch by its key, a number behind its key."""
    if isinstance(value, bool):
        return key if value else f"no-{key}"
    return value if isinstance(value, str) else f"{key}{value:g}"


class SoftTargets(Method):
    """Distillation by a target over the classes: a student's loss is Eqs. 2 and 11 to 13, whatever the target is.

    Where the target follows from the student, or is one for each teacher, a subclass has a `divergence` of its own.
    """

    symbols: ClassVar[dict[str, str]] = {"KD_T": "T", "KD_alpha": "A"}

    KD_T: Temperature
    KD_alpha: Share

    def divergence(self, student_logits: Tensor, target: Target) -> tuple[Tensor, dict[str, Tensor]]:
        """L_KD of samples, (), and each teacher's weights (n,)."""
        from dtkd.distillation import equations

        assert target.q is not None, "a method whose target has no q has a divergence of its own"
        p = equations.student_log_probabilities(self.scaled(student_logits), self.KD_T)
        return equations.kd_loss(p, target.q), target.weights

    def loss_of(self, student_logits: Tensor, target: Target, labels: Tensor) -> Loss:
        from dtkd.distillation import equations

        L_KD, weights = self.divergence(student_logits, target)
        L_CE = equations.student_loss(student_logits, labels, *target.labels)
        total = equations.total_loss(L_KD, L_CE, KD_T=self.KD_T, KD_alpha=self.KD_alpha)
        return Loss(total, L_KD, L_CE, weights)

    def scaled(self, logits: Tensor) -> Tensor:
        """What a temperature softens: the logits, of the student or a teacher, unless a method scales them first."""
        return logits
