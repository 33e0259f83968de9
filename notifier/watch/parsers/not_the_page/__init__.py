"""Pages that stand in place of a document: how they are recognised, and by which words."""
