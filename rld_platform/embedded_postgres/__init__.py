"""A Django database backend: PostgreSQL whose server lives in a folder and starts with the first connection."""
