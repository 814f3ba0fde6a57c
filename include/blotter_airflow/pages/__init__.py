"""Pages inside the Airflow UI: incidents, their story, sources, quarantine and what waits for a person.

Belongs here: a small server-rendered application (`app`), who may see and do what (`access`), and how records are
worded and drawn (`wording`, `evidence`, `city_map`). Does not belong here: any question to the tables
(`blotter.catalog`, `blotter.queries`), and what an action does (`blotter`). No work on import.
"""
