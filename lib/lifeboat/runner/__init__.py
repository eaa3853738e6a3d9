"""Run the notebooks as a pipeline: read and check parameters, execute in order, record what was done."""

import logging

# what papermill and its kernel client warn of is an error here, told in full where it is raised
logging.getLogger("papermill").setLevel(logging.CRITICAL)
