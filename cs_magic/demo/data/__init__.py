"""Invented zones, hosts and machines from a seed. Pure: no clock, no network, no commands."""
