"""The rules: each with its text, and how the changes that it is about are found."""
