"""A CloudStack to practise on: an invented data centre behind a real socket."""
