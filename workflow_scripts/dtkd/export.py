"""`python -m dtkd.export`."""

from dtkd.inference.export import main

if __name__ == "__main__":
    main()
