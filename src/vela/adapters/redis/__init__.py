"""Redis itself: where it is, how it is reached, and what its errors mean. What is kept in it stands elsewhere."""
