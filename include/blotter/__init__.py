"""blotter reads the news and keeps, for every incident, the record of what is known, day by day.

The package is the library: it never imports Airflow. `docs/architecture.md` says which room holds what.
"""

__version__ = "0.1.0"
