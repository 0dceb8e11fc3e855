"""`python -m dtkd.verify`."""

from dtkd.config.places import names_in_utf8
from dtkd.operations.verify import main

if __name__ == "__main__":
    names_in_utf8()
    main()
