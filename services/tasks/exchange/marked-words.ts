/* Text in which some words are marks, such as "+label" or "due:2026-03-29". */

/** Only ASCII space separates words, so that a no-break space stays within its word. */
const separator = /([ \t\r\n]+)/;

/** A word of the text that looks like a mark, or like an escaped mark, gets a backslash in front. */
const escaped = (word: string): string => /^\\+/.exec(word)?.[0] ?? '';

/** Escapes the words of a text that look like marks. */
export function escapeMarks(text: string, isMark: (word: string) => boolean): string {
  return text
    .split(separator)
    .map((word) => (isMark(word.slice(escaped(word).length)) ? `\\${word}` : word))
    .join('');
}

/** Separates marks, with the space before each, from the text. */
export function splitMarks(source: string, isMark: (word: string) => boolean): { text: string; marks: string[] } {
  const parts = source.split(separator);
  const marks: string[] = [];
  let text = '';
  for (let index = 0; index < parts.length; index += 2) {
    const word = parts[index] ?? '';
    const before = parts[index - 1] ?? '';
    if (isMark(word)) marks.push(word);
    else text += before + (isMark(word.slice(escaped(word).length)) ? word.slice(1) : word);
  }
  return { text: text.trim(), marks };
}
