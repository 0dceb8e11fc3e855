"""`python -m dtkd.check`."""

from dtkd.operations.check import main

if __name__ == "__main__":
    main()
