"""What can go wrong with a data set, looked for before anything trains on it."""
