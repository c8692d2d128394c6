"""The MTJ itself: card, equations, noise, macrospin engine and Markov-chain emulator."""
