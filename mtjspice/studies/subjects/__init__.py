"""What a study evaluates at its points: circuits of the catalogue or one's own, decks, junctions alone."""
