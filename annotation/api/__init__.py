"""The annotation part of the API: thin, all rules are in services and selectors."""
