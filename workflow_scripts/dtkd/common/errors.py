"""The exceptions and warnings that users are meant to read."""


class DtkdError(Exception):
    """A problem that the user can mend: the message names the file, the field and the remedy, in plain words."""


class UnwritableError(DtkdError):
    """A file cannot be written; going on with other files of the same job would be in vain."""


class DtkdWarning(UserWarning):
    """Something that the user may want to mend, in one line; the work goes on. A job prints it and logs it."""
