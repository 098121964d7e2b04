.PHONY: check lint types test format

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
