"""The exceptions that users are meant to read."""


class DtkdError(Exception):
    """A problem that the user can mend: the message names the file, the field and the remedy, in plain words."""


class UnwritableError(DtkdError):
    """A file cannot be written; going on with other files of the same job would be in vain."""
