"""Charts: numbers over time and spans of days, drawn as SVG on the server.

Knows no database: it is given numbers, and returns markup with its data as a table.
"""
