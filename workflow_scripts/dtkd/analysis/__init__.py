"""Metrics, statistics, tables and figures, from files alone: no model is run."""
