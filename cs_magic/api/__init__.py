"""Speaks CloudStack: signing, envelopes, pages, jobs. Knows neither IPython nor pandas."""
