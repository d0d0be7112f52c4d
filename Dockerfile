# The service: `docker build -t ptq . && docker run -p 8080:8080 -v ptq:/var/lib/ptq --env-file … ptq`
FROM python:3.12-slim-trixie AS build
WORKDIR /build

COPY requirements/bootstrap.lock requirements/base.lock requirements/
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --no-cache-dir --require-hashes -r requirements/bootstrap.lock \
    && python -m venv --without-pip /venv \
    && /build/tools/bin/uv pip sync --no-cache --require-hashes --compile-bytecode \
        --python /venv/bin/python requirements/base.lock

COPY pyproject.toml LICENSE README.md ./
COPY bot bot
COPY prompts prompts
COPY skills skills
RUN /build/tools/bin/python -m hatchling build --target wheel --directory /build/dist \
    && /build/tools/bin/uv pip install --no-cache --no-deps --offline --compile-bytecode \
        --python /venv/bin/python /build/dist/*.whl


FROM python:3.12-slim-trixie

# The `local` provider makes worktrees on the machine the service runs on.
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/ptq --create-home --shell /usr/sbin/nologin ptq

COPY --from=build /venv /venv

ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PTQ_HOST=0.0.0.0 \
    PTQ_PORT=8080 \
    PTQ_STATE_DIR=/var/lib/ptq

USER ptq
WORKDIR /var/lib/ptq
VOLUME /var/lib/ptq
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s CMD ["python", "-c", \
    "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ[\"PTQ_PORT\"]}/healthz', timeout=4)"]
CMD ["ptq", "serve"]
