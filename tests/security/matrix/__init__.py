"""The security matrix: who may ask what, as tables that the tests read, and generated from what there is to be asked.

`permissions.csv` (every address and method), `admin_models.csv` (every model in the admin), `frames.csv` (every frame
of both sockets) and `tool_arguments.csv` (every argument of every tool). What has no row fails, and so does a row
that nothing answers to.
"""
