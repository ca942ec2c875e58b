"""Reading what is known of ratings, scores and calibrations."""
