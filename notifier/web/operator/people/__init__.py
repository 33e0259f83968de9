"""People: readers in numbers, one address looked up, and the operators themselves."""
