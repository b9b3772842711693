"""What a change of a schema breaks: two versions of it are compared."""
