"""How others come to pull what an account sells: granted exactly, found, taken back."""
