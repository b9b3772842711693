"""A conversation that somebody else has, seen box by box, without I/O."""
