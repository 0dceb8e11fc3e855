"""`python -m dtkd.predict`."""

from dtkd.inference.predict import main

if __name__ == "__main__":
    main()
