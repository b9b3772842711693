"""Between clients and their server: bytes that pass, and who looks on."""
