"""The composition root: settings, database, migrations, processes and the command line."""
