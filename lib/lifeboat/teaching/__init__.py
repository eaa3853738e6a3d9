"""For a class: exercises that say what is wrong, a check of the machine before the lesson, a run to start from."""
