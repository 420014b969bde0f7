# One image for every worker and for `baton`; what a worker may do follows from the secrets and volumes it is given.
# The Debian and the Python are those that the tests run on.
FROM python:3.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
WORKDIR /build

COPY requirements/build.txt requirements/run.txt requirements/
RUN python -m venv /build/tools \
    && /build/tools/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv /opt/baton \
    && /opt/baton/bin/pip install --require-hashes -r requirements/run.txt

COPY . .
RUN /build/tools/bin/hatchling build -t wheel \
    && /opt/baton/bin/pip install --no-deps --no-index dist/*.whl


FROM python:3.11-slim-bookworm
# Versions follow the Debian release, whose updates are security updates.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git gnupg openssh-client osslsigncode \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --uid 10001 --home-dir /var/lib/baton/work --shell /usr/sbin/nologin baton \
    # Volumes take over the owner and mode of the folders that they are first mounted on.
    && install -d -o baton -g baton -m 0700 \
        /var/lib/baton /var/lib/baton/store /var/lib/baton/work /var/lib/baton/gnupg \
    && install -d -o baton -g baton -m 0755 /srv/baton /srv/baton/public

COPY --from=build /opt/baton /opt/baton
ENV HOME=/var/lib/baton/work \
    PATH=/opt/baton/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1
USER 10001:10001

CMD ["baton", "--help"]
