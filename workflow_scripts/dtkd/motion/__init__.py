"""Optical flow, its statistics, and the groups of classes that they give (Eq. 1)."""
