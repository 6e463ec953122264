"""The database as a whole: who may do what in it, its backup, and bringing it back."""
