"""What the Faces page is made of: a face's picture, its history, its dials and its row."""
