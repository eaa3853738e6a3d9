"""Run the notebooks as a pipeline: what is not up to date, in order, with a record of what was done and from what."""
