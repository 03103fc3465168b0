# The flows, the command line and Prefect, with the pinned packages. State lies in /var/lib/roster, feeds' files in /feeds.
FROM python:3.11-slim AS build

WORKDIR /opt/roster
COPY constraints.txt pyproject.toml README.md LICENSE ./
# Every package is checked against its hash here; what is installed below can come from nowhere else.
RUN pip wheel --no-cache-dir --disable-pip-version-check --no-deps --require-hashes --wheel-dir /wheels -r constraints.txt
COPY flows flows
COPY connectors connectors
COPY transforms transforms
# Without pip of its own, and without what only developers need.
RUN python -m venv --without-pip /opt/venv \
    && pip --python /opt/venv/bin/python install --no-cache-dir --disable-pip-version-check --no-index \
        --find-links /wheels --editable ".[dask,s3,sftp]"

FROM python:3.11-slim

ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PREFECT_SERVER_ANALYTICS_ENABLED=false \
    DO_NOT_TRACK=1 \
    PREFECT_HOME=/var/lib/roster/prefect \
    ROSTER_STATE=/var/lib/roster \
    ROSTER_FEEDS=/feeds
RUN useradd --system --uid 10001 --home-dir /var/lib/roster --shell /usr/sbin/nologin roster \
    && install --directory --mode 0700 --owner roster --group roster /var/lib/roster \
    && install --directory --mode 0755 /feeds
COPY --from=build /opt/venv /opt/venv
WORKDIR /opt/roster
COPY prefect.yaml pyproject.toml README.md LICENSE ./
COPY sample_data sample_data
COPY --from=build /opt/roster/flows flows
COPY --from=build /opt/roster/connectors connectors
COPY --from=build /opt/roster/transforms transforms
USER roster
VOLUME /var/lib/roster
CMD ["roster", "--help"]
