"""Whether our client and somebody's CloudStack agree: `python -m cs_magic.verify`."""
