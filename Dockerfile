# One image, four commands: web, worker, beat, mqtt (Procfile and docker-compose.yml name them).
FROM python:3.12-slim AS packages
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 UV_LINK_MODE=copy UV_NO_CACHE=1
WORKDIR /build
COPY requirements/ requirements/
RUN pip install --require-hashes -r requirements/uv.txt \
    && uv venv /venv \
    && VIRTUAL_ENV=/venv uv pip install --compile-bytecode --require-hashes -r requirements/base.txt

FROM python:3.12-slim
ENV PATH=/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    VAR_DIR=/var/lib/portal \
    STATIC_ROOT=/srv/static
RUN groupadd --gid 10001 portal \
    && useradd --uid 10001 --gid portal --home-dir /var/lib/portal --no-create-home portal \
    && install --directory --owner portal --group portal /var/lib/portal /var/lib/portal/media /srv/static
COPY --from=packages /venv /venv
WORKDIR /srv/portal
COPY . .
RUN python -m compileall -q . \
    && SECRET_KEY=only-while-building VAR_DIR=/var/lib/portal python manage.py collectstatic --no-input
USER 10001:10001
VOLUME /var/lib/portal
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s --retries=3 \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["granian", "--interface", "wsgi", "--host", "0.0.0.0", "--port", "8000", "--blocking-threads", "4", "--no-ws", "commune_portal.wsgi:application"]
