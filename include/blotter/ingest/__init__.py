"""Ingest: feeds, pages, drop folders and archive files become documents.

Belongs here: getting bytes from outside, politely and safely, and saying of each input where it came from. Does not
belong here: what the bytes say (`blotter.clean`), and keeping them (`blotter.store`).
"""
