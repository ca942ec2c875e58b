"""What changes in the data engine, one verb each; nothing else writes its tables."""
