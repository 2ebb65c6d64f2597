"""Where does this number come from? A click on a cell, and the arithmetic behind it."""
