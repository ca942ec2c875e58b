"""What pages, the API and other apps read about people's judging."""
