"""A portable model on Azure: a managed online endpoint with two deployments, blue and green.

In the order in which a model goes through them: ``settings``, ``bundle`` (what is sent), ``client`` (the way to Azure,
and what its errors mean), ``endpoint`` (what is there) and ``rollout`` (deploy, with the smoke test).
Needs ``pip install 'lifeboat[azure]'``.
"""
