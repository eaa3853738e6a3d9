"""A first parameter file for a table nobody has described: look at it, propose what to do, write it down with reasons.

Needs no Spark, and takes a second for a file of some hundred megabytes.
"""

from lifeboat.parameters.propose.proposal import Proposal, propose
from lifeboat.parameters.propose.table import Column, Survey, survey
from lifeboat.parameters.propose.written import written

__all__ = ["Column", "Proposal", "Survey", "propose", "survey", "written"]
