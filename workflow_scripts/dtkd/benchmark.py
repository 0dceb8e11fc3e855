"""`python -m dtkd.benchmark`."""

from dtkd.inference.benchmark import main

if __name__ == "__main__":
    main()
