"""Trained networks asked about other videos."""
