"""What networks run on: devices, sessions and where their weights come from."""
