"""Other people's CloudStack clients, unmodified, against the demo cloud or any endpoint."""
