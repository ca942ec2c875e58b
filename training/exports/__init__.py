"""Writers of frozen datasets in the formats people use, and their readers. Pure: rows and files in, files out.

An export is made of parts: some photos of one split, with all their layers. A writer writes the files of one part into
a folder and knows nothing of the parts before it, so an export can stop anywhere and go on later.
"""
