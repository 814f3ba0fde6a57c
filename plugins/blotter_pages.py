"""Registers blotter's pages with Airflow: the application, and where the navigation leads to it."""

from airflow.plugins_manager import AirflowPlugin

from blotter_airflow.pages.registration import EXTERNAL_VIEWS, FASTAPI_APPS


class BlotterPages(AirflowPlugin):
    """Incidents, Sources, Quarantine and Review, behind Airflow's own login and permissions."""

    name = "blotter_pages"
    fastapi_apps = FASTAPI_APPS
    external_views = EXTERNAL_VIEWS
