"""What ``lifeboat doctor`` looks at. It runs before anything is installed: the standard library, and old Pythons too."""
