"""Speaks Jupyter: the language of the magics, what they show, and the extension."""
