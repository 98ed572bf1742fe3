"""What a run brought, in figures: one statistic per file, pure functions over arrays and closed trades."""
