"""The portable model over HTTP: the server, and a client that starts one."""

TIED = "LIFEBOAT_SERVER_TIED"  # in a server's environment: it ends with who started it, and so holds its input open
