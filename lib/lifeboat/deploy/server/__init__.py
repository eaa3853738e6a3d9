"""The portable model over HTTP: the server, and a client that starts one."""
