"""How read models lie in the database: a set of tables for each build, and how rows get into them."""
