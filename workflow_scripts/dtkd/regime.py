"""`python -m dtkd.regime`."""

from dtkd.operations.regime import main

if __name__ == "__main__":
    main()
