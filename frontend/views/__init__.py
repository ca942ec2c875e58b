"""Pages: each reads from selectors and fills one template."""
