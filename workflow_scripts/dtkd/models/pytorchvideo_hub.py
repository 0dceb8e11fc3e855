"""pytorchvideo's hub of networks, without the warnings of its import."""

import warnings

with warnings.catch_warnings():  # pytorchvideo compiles small functions with torch.jit.script, which torch deprecates
    warnings.simplefilter("ignore", FutureWarning)
    from pytorchvideo.models import hub
    from pytorchvideo.models.slowfast import create_slowfast

__all__ = ["create_slowfast", "hub"]
