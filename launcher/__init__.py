"""The embedded stack on one machine: environment, PostgreSQL, Valkey, worker, web, and who watches them.

The launcher knows nothing of the site but its management commands, which it calls as subprocesses; the site
knows nothing of the launcher but the environment variables it is handed (environment.py).
"""
