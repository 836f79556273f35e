/**
 * Unicode's full case folding in NFC, for caseless comparison: "Straße" and "STRASSE" become "strasse", "Σ" and "ς"
 * become "σ". The result is not meant to be shown.
 */
export function foldCase(text: string): string {
  // In NFD, marks with a folding of their own stand apart. Each character is folded alone, because the lower case of Σ
  // depends on its place.
  return Array.from(text.normalize('NFD'), foldCharacter).join('').normalize('NFC');
}

function foldCharacter(character: string): string {
  // Its capital is I, but Unicode's folding leaves it alone: outside of Turkish, ı and i are two letters.
  if (character === 'ı') return character;
  return character.toLowerCase().toUpperCase().toLowerCase();
}
