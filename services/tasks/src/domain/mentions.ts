/** Somebody whom a comment may mention by name. */
export interface Mentionable {
  id: string;
  /** '' = unknown. */
  name: string;
}

/** Names are compared as people read them: letter case and compatibility forms do not matter. */
const fold = (text: string): string => text.normalize('NFKC').toLowerCase();

const isWord = (character: string | undefined): boolean =>
  character !== undefined && /[\p{L}\p{M}\p{N}_]/u.test(character);

/** The code point that begins at an index. */
const characterAt = (text: string, index: number): string | undefined => {
  const code = text.codePointAt(index);
  return code === undefined ? undefined : String.fromCodePoint(code);
};

/** An @ within a word belongs to an address. The character before it may be of two code units. */
const beginsMention = (text: string, at: number): boolean =>
  !isWord(Array.from(text.slice(Math.max(0, at - 2), at)).at(-1));

/**
 * The ids of those whose names stand behind an @ in the text, sorted. Of several names that fit, the longest counts: in
 * "@Ada Lovelace" nobody who is called Ada alone is meant. Everybody who has that name is.
 */
export function findMentions(text: string, people: readonly Mentionable[]): string[] {
  const folded = fold(text);
  const folks = people.map(({ id, name }) => ({ id, name: fold(name) })).filter(({ name }) => name !== '');
  const byFirst = Map.groupBy(folks, ({ name }) => name.charAt(0));
  const found = new Set<string>();
  for (let at = folded.indexOf('@'); at !== -1; at = folded.indexOf('@', at + 1)) {
    if (!beginsMention(folded, at)) continue;
    const fitting = (byFirst.get(folded.charAt(at + 1)) ?? []).filter(
      ({ name }) => folded.startsWith(name, at + 1) && !isWord(characterAt(folded, at + 1 + name.length)),
    );
    const longest = Math.max(...fitting.map(({ name }) => name.length));
    for (const { id, name } of fitting) if (name.length === longest) found.add(id);
  }
  return [...found].sort();
}
