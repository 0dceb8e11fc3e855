"""The figures, a module for each theme."""
