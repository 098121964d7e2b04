.PHONY: check lint types test format audit

# Everything that must hold before a commit.
check: lint types test

lint:
	ruff check . && ruff format --check .

types:
	mypy lab app.py

test:
	pytest

format:
	ruff format . && ruff check --fix .

# Known weaknesses of what is installed. It asks a database on the network, so it is not among the checks.
audit:
	pip install --quiet pip-audit && python .ci/audit
