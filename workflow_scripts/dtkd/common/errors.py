"""The exceptions and warnings that users are meant to read."""


class DtkdError(Exception):
    """A problem that the user can fix: the message names the file, the field and the remedy, in plain words."""


class UnwritableError(DtkdError):
    """A file cannot be written; going on with other files of the same job would be pointless."""


class DtkdWarning(UserWarning):
    """Something that the user may want to fix, in one line; the work goes on. A job prints it and logs it."""
