"""What must be seen on the embedded base: four experiments, each by one command (`python -m benchmarks.embedded`)."""
