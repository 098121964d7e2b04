# PEFT Lab for strangers, on a CPU. For a GPU take a CUDA base image with Python 3.11 and drop the index of CPU builds.
FROM python:3.11-slim

ENV PYTHONUNBUFFERED=1 PIP_NO_CACHE_DIR=1 HF_HUB_CACHE=/data/hub/hub GRADIO_ANALYTICS_ENABLED=False

RUN useradd --create-home --uid 1000 lab && mkdir /data && chown lab /data
WORKDIR /home/lab/app

COPY requirements.txt .
RUN pip install --extra-index-url https://download.pytorch.org/whl/cpu -r requirements.txt

COPY --chown=lab app.py LICENSE README.md ./
COPY --chown=lab assets assets
COPY --chown=lab lab lab

USER lab
VOLUME /data
EXPOSE 7860

HEALTHCHECK --interval=30s --timeout=10s --start-period=60s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:7860/gradio_api/app_id', timeout=8)"]

CMD ["python", "app.py", "--public", "--no-browser", "--port", "7860", "--runs", "/data/runs"]
