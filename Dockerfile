# The image that docker-compose.yaml runs: Airflow with our pinned requirements and our code.
FROM apache/airflow:3.3.2-python3.12
COPY --chown=airflow:0 requirements.txt /opt/blotter/requirements.txt
RUN pip install --no-cache-dir uv==0.13.8 && uv pip install --no-cache --system -r /opt/blotter/requirements.txt
COPY --chown=airflow:0 pyproject.toml README.md /opt/blotter/
COPY --chown=airflow:0 include /opt/blotter/include
COPY --chown=airflow:0 dags /opt/blotter/dags
COPY --chown=airflow:0 plugins /opt/blotter/plugins
RUN uv pip install --no-cache --system --no-deps --editable /opt/blotter
