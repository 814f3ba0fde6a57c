"""The catalog: a small index of the tables for pages that must answer at once, however long the history is.

Belongs here: one SQLite file that names the newest changes, the words and days by which incidents are found, the days
on which each incident and article has rows, and what waits for a person (unsure links, quarantine). Does not belong
here: any fact that is not in the tables. It is derived: removed, it is made
again (docs/adr/, "A catalog for pages").
"""

from blotter.catalog.index import Catalog, Found, Placement, Search, Summary
from blotter.catalog.learn import CatalogKeeper

__all__ = ["Catalog", "CatalogKeeper", "Found", "Placement", "Search", "Summary"]
