"""The peers: one module each, imported by name (see ``roster``)."""
