import { styleText } from 'node:util';

/** What a terminal could take for a command, or what turns the direction of a text around. */
const unsafe = /[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;
const unsafeInLines = /(?!\n)[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069]/gu;

/** A text of somebody else in one line of the terminal. */
export const oneLine = (text: string): string => text.replaceAll(/\s+/g, ' ').replaceAll(unsafe, '');

export const lines = (text: string): string => text.replaceAll('\r\n', '\n').replaceAll(unsafeInLines, '');

const graphemes = new Intl.Segmenter('en', { granularity: 'grapheme' });
const wide =
  /^(\p{RGI_Emoji}|[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Hangul}\u3000-\u303e\uff01-\uff60\uffe0-\uffe6])/v;
const invisible = /^[\p{Mn}\p{Me}\p{Cf}]+$/u;

function columnsOf(grapheme: string): number {
  if (invisible.test(grapheme)) return 0;
  return wide.test(grapheme) ? 2 : 1;
}

/** How many columns of a terminal a text without colours takes. */
export function widthOf(text: string): number {
  let width = 0;
  for (const { segment } of graphemes.segment(text)) width += columnsOf(segment);
  return width;
}

/** Cuts a text that is too wide, between whole characters. */
export function fit(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const { segment } of graphemes.segment(text)) {
    left -= columnsOf(segment);
    if (left < 0) break;
    kept += segment;
  }
  return `${kept}…`;
}

type Style = Parameters<typeof styleText>[0];

/** Coloured where the stream is a terminal and NO_COLOR is not set. */
export const paint = (style: Style, text: string, stream: NodeJS.WritableStream = process.stdout): string =>
  styleText(style, text, { stream });

/** TASK_STATUS_IN_PROGRESS, given as the name that generated code has for it: in progress. */
export const toWords = (name: string | undefined): string => (name ?? '?').toLowerCase().replaceAll('_', ' ');
