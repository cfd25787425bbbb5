"""A plan tried before it is signed: on a node, in this process, looked into, its effects compared."""
