"""Credentials of sources from Airflow Connections.

Belongs here: finding a connection and writing it as blotter reads credentials. Does not belong here: what becomes of it
(`blotter.ingest.credentials`). Call it inside a task: connections are never read while a DAG file is parsed.
"""


def find_connection(name: str) -> str | None:
    """Give the connection of that name as the text of a credential; None where there is none, or nothing in it.

    Login and password are sent as basic authentication, a password alone as a bearer token, and with `header` in the
    connection's extra (`{"header": "X-Api-Key"}`) the password is that header's value.
    """
    from airflow.sdk import Connection
    from airflow.sdk.exceptions import AirflowNotFoundException

    try:
        connection = Connection.get(name)
    except AirflowNotFoundException:
        return None
    if not connection.password:
        return None
    header = connection.extra_dejson.get("header")
    if isinstance(header, str):
        return f"header {header}: {connection.password}"
    if connection.login:
        return f"basic {connection.login}:{connection.password}"
    return f"bearer {connection.password}"
