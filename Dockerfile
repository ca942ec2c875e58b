# One image for web, workers and beat; what a container does is its command.
FROM python:3.11-slim-bookworm

ARG REVISION=unknown
ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    RLD_REVISION=${REVISION} \
    RLD_HOME=/data \
    HOST=0.0.0.0

RUN useradd --create-home --uid 10001 rld && install -d -o rld -g rld /data /data/checkpoints
WORKDIR /app

# The packages change seldom: they come before the code.
COPY pyproject.toml README.md LICENSE ./
RUN pip install --disable-pip-version-check ".[s3]"

COPY . .
USER rld
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=10s --timeout=3s --start-period=60s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=2)"]
CMD ["python", "-m", "rld_platform.serve", "web"]
