/**
 * What shows nothing: spaces, and characters that Unicode lets a program pass over when it has no shape for them (zero
 * width, direction marks, variation selectors, fillers of Hangul). The empty pattern of Braille is a symbol to Unicode.
 */
const invisible = /^[\p{White_Space}\p{Default_Ignorable_Code_Point}\u2800]*$/u;

/** Whether a reader sees anything of a text. */
export function isVisible(text: string): boolean {
  return !invisible.test(text);
}
