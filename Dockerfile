# One image for web, runner, worker and scheduler: compose.yaml names the command of each. docs/production.md

FROM python:3.13-slim-trixie AS build
WORKDIR /app
COPY requirements.txt .
# Wheels only: no compiler is here, and none is needed.
RUN python -m venv /venv \
    && /venv/bin/pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes -r requirements.txt \
    && /venv/bin/pip uninstall --yes pip
COPY . .
RUN DATA_DIR=/tmp/build /venv/bin/python manage.py collectstatic --noinput \
    && /venv/bin/python -m compileall -q support_agent tickets

FROM python:3.13-slim-trixie
ARG VERSION=unreleased
ARG REVISION=unknown
LABEL org.opencontainers.image.title="support-agent" \
      org.opencontainers.image.description="Customer-support chat with an AI assistant over real records, and the desk where staff see it." \
      org.opencontainers.image.licenses="MIT" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# pg_dump and pg_restore, as new as the PostgreSQL of compose.yaml.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends postgresql-client-17 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --no-create-home --home-dir /tmp --shell /usr/sbin/nologin desk \
    && install --directory --owner desk --group desk --mode 0750 /data /backups
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    HOST=0.0.0.0 \
    PORT=8000 \
    DATA_DIR=/data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
USER 10001
# Uploads, receipts of erasures and the note of the last backup; all else may be read-only but /tmp.
VOLUME /data
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=5s --timeout=4s --start-period=60s --retries=6 \
    CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ['PORT'] + '/healthz', timeout=3)"]
CMD ["python", "-m", "support_agent.launch.web"]
