"""Evaluations: a suite of cases, what their answers are checked for, and what came of it."""
