"""Speed of facestream, measured beside what people would use instead. ``make bench`` prints the tables."""
