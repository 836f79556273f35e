const longest = 200;
const segments = new Intl.Segmenter();

/**
 * A text of a user as it may stand in a sentence or a subject: on one line, without characters that control anything (line
 * breaks would begin a header, direction marks would turn the rest of the line around), cut at 200 characters. A text that
 * has letters of right-to-left scripts is isolated, so that the words around it keep their order.
 */
export function userText(text: string): string {
  const line = text
    .replaceAll(/[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff]/g, '')
    .replaceAll(/[\s\p{Cc}\u2028\u2029]+/gu, ' ')
    .trim();
  const short = cut(line);
  return /[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]|[\u{10800}-\u{10fff}]|[\u{1e800}-\u{1efff}]/u.test(short)
    ? `\u2068${short}\u2069`
    : short;
}

/** Characters as a reader counts them, so that none is cut in its middle. */
function cut(text: string): string {
  if (text.length <= longest) return text;
  const characters = Array.from(segments.segment(text), ({ segment }) => segment);
  return characters.length <= longest ? text : `${characters.slice(0, longest - 1).join('')}…`;
}
