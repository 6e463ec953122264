"""Measured comparisons. Seconds differ from machine to machine: compare the ratios within one run."""
