"""What changes in people's judging, one verb each; nothing else writes its tables."""
