"""Keys for fingers that do not see the screen: five tactile ones, and digits."""
