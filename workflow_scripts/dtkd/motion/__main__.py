"""`python -m dtkd.motion`."""

from dtkd.analysis.figures.motion_measures import main

if __name__ == "__main__":
    main()
