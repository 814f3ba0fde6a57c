"""What DAG files and plugins share and only Airflow understands.

A package of its own beside `blotter`, which never imports Airflow: installed like it, so that a DAG file finds it
however the DAG folder is loaded (a plain DagBag does not put the folder on the path).
"""
