"""Everything that outlives a process: warehouse, raw archive, staging area and operational state.

Belongs here: bytes and rows in and out, locks, atomicity. Does not belong here: any decision about news.
"""
