"""What a user can ask for as a whole: each folder is a task, from its data to its verdict."""
