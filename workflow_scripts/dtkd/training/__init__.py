"""Sampling, augmentation, the training loop, evaluation, and trainings of several processes."""
