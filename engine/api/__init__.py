"""The data engine over HTTP: tokens, projects, images, runs, layers, funnel."""
