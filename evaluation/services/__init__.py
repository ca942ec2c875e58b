"""What changes ratings, scores and calibrations."""
