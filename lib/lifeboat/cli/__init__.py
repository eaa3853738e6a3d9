"""The command line: one module for each group of subcommands, put together in ``app``.

What a module imports at its top, every `lifeboat --help` waits for: heavy imports stand in the commands themselves.
"""
