"""What several test modules share: it holds no tests."""
