import { isUtf8 } from 'node:buffer';
import { BrokenFile, Unreadable, type FileSource } from './file-task.ts';

/** A line of a file, as bytes: they can be decoded only when folded lines and quoted cells are complete. */
export interface Line {
  /** From 1. */
  number: number;
  /** One character for each byte (latin1), without the line end. */
  bytes: string;
  /** LF or CR LF; in damaged files CR or CR CR LF. */
  end: string;
  /** The line was longer than `maxBytes`, and its rest was dropped. */
  cut: boolean;
}

/** Of a line or an entry. A task has at most 200 characters of title and 10 000 of description. */
export const maxBytes = 1024 * 1024;

const utf8Mark = '\u00ef\u00bb\u00bf';
const utf16Marks: Readonly<Record<string, string>> = { '\u00ff\u00fe': 'utf-16le', '\u00fe\u00ff': 'utf-16be' };

async function* fromUtf16(chunks: AsyncIterable<Uint8Array>, encoding: string): AsyncGenerator<string> {
  const decoder = new TextDecoder(encoding, { fatal: true });
  const toBytes = (text: string): string => Buffer.from(text).toString('latin1');
  try {
    for await (const chunk of chunks) yield toBytes(decoder.decode(chunk, { stream: true }));
    yield toBytes(decoder.decode());
  } catch (error) {
    if (error instanceof TypeError) throw new BrokenFile('is not the UTF-16 that its first bytes announce');
    throw error;
  }
}

/** The bytes of a file without its byte order mark, UTF-16 converted to UTF-8. */
async function* readBytes(source: FileSource): AsyncGenerator<string> {
  let start = '';
  for await (const chunk of source()) {
    start += Buffer.from(chunk).toString('latin1');
    if (start.length > 2) break;
  }
  const encoding = utf16Marks[start.slice(0, 2)];
  if (encoding !== undefined) return yield* fromUtf16(source(), encoding);
  let skip = start.startsWith(utf8Mark) ? utf8Mark.length : 0;
  for await (const chunk of source()) {
    const skipped = Math.min(skip, chunk.length);
    skip -= skipped;
    yield Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength).toString('latin1', skipped);
  }
}

/** A run of carriage returns at the end of a piece may continue in the next. Longer runs do not occur in real files. */
const maxReturns = 1024;

function returnsAtEnd(text: string): string {
  return /\r*$/.exec(text.slice(-maxReturns))?.[0] ?? '';
}

/** The lines of a file, in constant memory however long they are. */
export async function* readLines(source: FileSource): AsyncGenerator<Line> {
  let [rest, cut, number] = ['', false, 1];
  const take = (bytes: string, end: string): Line => {
    const line = { number, bytes: bytes.slice(0, maxBytes), end, cut: cut || bytes.length > maxBytes };
    number += end.endsWith('\n') ? 1 : end.length;
    cut = false;
    return line;
  };
  for await (const bytes of readBytes(source)) {
    const text = rest + bytes;
    const lineEnd = /\r+\n?|\n/g;
    lineEnd.lastIndex = Math.max(0, rest.length - maxReturns);
    let from = 0;
    for (const { 0: end, index } of text.matchAll(lineEnd)) {
      // The next piece may begin with the line feed.
      if (index + end.length === text.length && end.endsWith('\r') && end.length < maxReturns) break;
      yield take(text.slice(from, index), end);
      from = index + end.length;
    }
    rest = text.slice(from);
    if (rest.length > maxBytes + maxReturns) [rest, cut] = [rest.slice(0, maxBytes) + returnsAtEnd(rest), true];
  }
  const end = returnsAtEnd(rest);
  if (rest !== '') yield take(rest.slice(0, rest.length - end.length), end);
}

/** Bytes of UTF-8 characters, at most 1000 at a time, because regular expressions have a limited stack. */
const validBytes =
  /(?:[\x00-\x7f]|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}){1,1000}/y;

function countValidBytes(bytes: string): number {
  let valid = 0;
  validBytes.lastIndex = 0;
  while (validBytes.test(bytes)) valid = validBytes.lastIndex;
  return valid;
}

/** Decodes UTF-8. Throws Unreadable with the position of the first invalid byte, counted from 1 in `place`. */
export function decodeText(bytes: string, place: string): string {
  if (!/[^\x00-\x7f]/.test(bytes)) return bytes;
  const buffer = Buffer.from(bytes, 'latin1');
  if (isUtf8(buffer)) return buffer.toString('utf8');
  const offset = countValidBytes(bytes);
  throw new Unreadable(`byte ${offset + 1} of ${place} (0x${bytes.charCodeAt(offset).toString(16)}) is not UTF-8`);
}

/** Decodes a line. Throws Unreadable. */
export function decodeLine({ bytes, cut }: Pick<Line, 'bytes' | 'cut'>, place = 'the line'): string {
  if (cut) throw new Unreadable(`${place} is longer than ${maxBytes} bytes`);
  return decodeText(bytes, place);
}
