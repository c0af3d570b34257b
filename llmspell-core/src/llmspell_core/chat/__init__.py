"""The dialect of chat completions that most services speak: bodies, answers, errors, retries.

Shared by the providers that speak it, so that each failure of a service has one classification.
"""
