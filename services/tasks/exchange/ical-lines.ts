import { decodeText, maxBytes, readLines, type Line } from './file-lines.ts';
import { Unreadable, type FileSource } from './file-task.ts';

/** A line of iCalendar (RFC 5545, 3.1), unfolded. */
export interface ContentLine {
  /** The line in which it begins. */
  line: number;
  /** In capitals; '' when the line is invalid. */
  name: string;
  /** Names in capitals, with the first value of each. */
  params: ReadonlyMap<string, string>;
  value: string;
  /** Why the line is invalid. */
  problem: string | undefined;
  /** As bytes, one character for each. */
  bytes: string;
}

/**
 * Unfolds lines, still as bytes, because a fold may be inside a character. Skips empty lines, which files have everywhere after
 * their line ends were converted twice.
 */
async function* unfold(source: FileSource): AsyncGenerator<Line> {
  let whole: Line | undefined;
  for await (const line of readLines(source)) {
    if (line.bytes === '') continue;
    if (whole !== undefined && /^[ \t]/.test(line.bytes)) {
      whole.cut ||= line.cut || whole.bytes.length + line.bytes.length > maxBytes;
      if (!whole.cut) whole.bytes += line.bytes.slice(1);
      continue;
    }
    if (whole !== undefined) yield whole;
    whole = line;
  }
  if (whole !== undefined) yield whole;
}

const nameAndParams = /^([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:,]*)(?:,(?:"[^"]*"|[^";:,]*))*)*):/;
const param = /;([A-Za-z0-9-]+)=(?:"([^"]*)"|([^";:,]*))/g;

function parse({ number: line, bytes, cut }: Line): ContentLine {
  const nothing = { line, name: '', params: new Map<string, string>(), value: '', bytes };
  try {
    const text = decodeText(bytes, 'the line');
    const found = nameAndParams.exec(text);
    if (found === null)
      return { ...nothing, problem: `"${text.slice(0, 40)}${text.length > 40 ? '…' : ''}" is no line of iCalendar` };
    const [all, name = '', params = ''] = found;
    const pairs = [...params.matchAll(param)].map(([, key = '', quoted, plain = '']): [string, string] => [
      key.toUpperCase(),
      quoted ?? plain,
    ]);
    return {
      line,
      name: name.toUpperCase(),
      params: new Map(pairs.reverse()),
      value: text.slice(all.length),
      problem: cut ? `is longer than ${maxBytes} bytes` : undefined,
      bytes,
    };
  } catch (error) {
    if (!(error instanceof Unreadable)) throw error;
    return { ...nothing, name: /^[A-Za-z0-9-]*/.exec(bytes)?.[0].toUpperCase() ?? '', problem: error.message };
  }
}

export async function* readContentLines(source: FileSource): AsyncGenerator<ContentLine> {
  for await (const line of unfold(source)) yield parse(line);
}

/** TEXT (3.3.11): `separator` separates values unless it is behind a backslash. */
export function readTexts(value: string, separator: '' | ','): string[] {
  const texts = [''];
  for (const [piece] of value.matchAll(/\\[\s\S]|[^\\,]+|[\s\S]/g)) {
    if (piece === separator) texts.push('');
    else texts[texts.length - 1] += unescape(piece);
  }
  return texts;
}

const escapes: Readonly<Record<string, string>> = { '\\n': '\n', '\\N': '\n', '\\\\': '\\', '\\,': ',', '\\;': ';' };

function unescape(piece: string): string {
  return escapes[piece] ?? piece;
}

/** A property with its line end, folded at 75 octets between characters (3.1). */
export function writeLine(name: string, value: string): string {
  const whole = `${name}:${value}`;
  if (!/[^\x00-\x7f]/.test(whole))
    return `${whole.slice(0, 75)}${whole.slice(75).replaceAll(/[\s\S]{1,74}/g, '\r\n $&')}\r\n`;
  let [line, octets] = ['', 0];
  for (const character of whole) {
    const size = Buffer.byteLength(character);
    if (octets + size > 75) {
      line += '\r\n ';
      octets = 1;
    }
    line += character;
    octets += size;
  }
  return `${line}\r\n`;
}

export function escapeText(text: string): string {
  return text.replaceAll(/[\\,;]/g, '\\$&').replaceAll('\n', '\\n');
}
