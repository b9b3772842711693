"""Conversations that are kept in files, without secrets, and said again."""
