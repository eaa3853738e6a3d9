"""What ``lifeboat doctor`` looks at, before anything is installed: the standard library, and Python 3.8, are enough."""
