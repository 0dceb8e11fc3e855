"""The one exception that users are meant to read."""


class DtkdError(Exception):
    """A problem that the user can mend: the message names the file, the field and the remedy, in plain words."""
