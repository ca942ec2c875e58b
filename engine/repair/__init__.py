"""Mending a layer by hand: marks on the photo become a mask, the mask becomes a matte with clean colours."""
