"""What tools around a contract share: generated code without files, values as JSON."""
