"""Translation: messages that can be translated, languages and their catalogues."""
