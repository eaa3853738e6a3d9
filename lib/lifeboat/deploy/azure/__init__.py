"""A portable model on Azure: a managed online endpoint with two slots, blue and green.

In the order a deployment goes through them: ``settings``, ``bundle`` (what is sent), ``client`` (the way to Azure, and
what its errors mean), ``slots`` (what is there), ``smoke`` (ask it), ``flow`` (deploy) and ``manage`` (the rest).
Needs ``pip install 'lifeboat[azure]'``.
"""
