"""A first parameter file for a table nobody has described: look at it, propose what to do, write it down with reasons.

Needs no Spark, and takes a second for a file of some hundred megabytes.
"""

from lifeboat.survey.proposal import Proposal, propose
from lifeboat.survey.table import Column, Survey, survey
from lifeboat.survey.written import written

__all__ = ["Column", "Proposal", "Survey", "propose", "survey", "written"]
