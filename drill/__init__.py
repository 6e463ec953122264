"""Faults on purpose, on real servers and real processes: what is lost, what is done twice, how long until it is well again."""
