"""Text from outside: made safe to store, to compare and to print; markup, times and addresses of pages in it."""
