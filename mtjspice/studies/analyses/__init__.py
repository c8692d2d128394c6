"""What is made of a study's results: tables with intervals, and how many points each number rests on."""
