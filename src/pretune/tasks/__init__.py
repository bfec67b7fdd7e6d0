"""Tasks that a user can ask for as a whole, one per folder, from data to verdict."""
