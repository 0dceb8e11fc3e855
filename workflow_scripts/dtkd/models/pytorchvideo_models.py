"""pytorchvideo's networks without torchvision, of which they need nothing.

pytorchvideo imports it for one layer of object detectors. With it would come torch's compiler: a second and a half, and
250 MB, of every job that builds a network.
"""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType


@contextmanager
def _without_torchvision() -> Iterator[None]:
    """Have imports find a torchvision of this one layer, which nobody builds, where the real one is not there yet."""
    if "torchvision" in sys.modules:
        yield
        return
    absent = {name: ModuleType(name) for name in ("torchvision", "torchvision.ops")}
    absent["torchvision.ops"].RoIAlign = None
    sys.modules.update(absent)
    try:
        yield
    finally:
        for name in absent:
            del sys.modules[name]


with warnings.catch_warnings(), _without_torchvision():
    warnings.simplefilter("ignore", FutureWarning)  # of torch.jit.script, which pytorchvideo compiles functions with
    from pytorchvideo.models import hub
    from pytorchvideo.models.slowfast import create_slowfast

__all__ = ["create_slowfast", "hub"]
