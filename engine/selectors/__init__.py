"""What pages, the API and other apps read from the data engine."""
