"""Other solvers' dialects, a file each, onto the same intake: for clients that exist already. Off by default."""
