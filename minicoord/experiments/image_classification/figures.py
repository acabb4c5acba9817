from pathlib import Path
def draw(results, folder):
    return []
