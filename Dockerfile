# Two stages: the first has what builds, the second what runs, as an ordinary user.
FROM python:3.13-slim AS build
WORKDIR /genjin
RUN python -m venv /venv
COPY requirements/run.txt requirements/
RUN /venv/bin/pip install --no-cache-dir --require-hashes -r requirements/run.txt
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN /venv/bin/pip install --no-cache-dir --no-deps --no-build-isolation . \
    && /venv/bin/python -m compileall -q /venv

FROM python:3.13-slim
RUN useradd --system --create-home --home-dir /var/lib/genjin genjin \
    && for each in checkpoints erasures backups key-copy; do install -d -o genjin -g genjin /var/lib/genjin/$each; done
COPY --from=build /venv /venv
USER genjin
ENV PATH=/venv/bin:$PATH CRM_HOST=0.0.0.0 CRM_PORT=8000 CRM_DATA_DIR=/var/lib/genjin/data
VOLUME /var/lib/genjin
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
    CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"CRM_PORT\"]}/healthz', timeout=2)"]
ENTRYPOINT ["crm"]
CMD ["serve"]
