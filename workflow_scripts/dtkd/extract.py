"""`python -m dtkd.extract`."""

from dtkd.inference.extract import main

if __name__ == "__main__":
    main()
