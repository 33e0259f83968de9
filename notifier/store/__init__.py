"""What is stored and how it is reached: tables, statuses, engine, sessions and the schema's upgrade."""
