"""Run the notebooks as a pipeline: read and check parameters, execute in order, record what was done."""
