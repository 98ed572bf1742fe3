"""One short main per service, over ports only."""
