import { maxBytes, readLines } from './file-lines.ts';
import { BrokenFile, type FileSource } from './file-task.ts';

/** One record of RFC 4180: a line, or several when a quoted cell has line breaks. */
export interface CsvRecord {
  /** The line in which it begins. */
  line: number;
  /** As bytes, one character for each. */
  cells: string[];
  /** Why its cells are invalid. */
  problem: string | undefined;
}

/** A record that is not complete yet. */
interface OpenRecord extends CsvRecord {
  /** The content of a quoted cell that is not closed yet. */
  quoted: string | undefined;
  size: number;
}

const insideQuotes = /(?:[^"]+|"")*/y;

/** Continues a quoted cell. Returns where it ends, or the end of the line when it goes on. */
function readQuoted(record: OpenRecord, bytes: string, from: number): number {
  insideQuotes.lastIndex = from;
  const text = insideQuotes.exec(bytes)?.[0] ?? '';
  const cell = (record.quoted ?? '') + text.replaceAll('""', '"');
  const end = from + text.length;
  if (end === bytes.length) {
    record.quoted = cell;
    return end;
  }
  record.quoted = undefined;
  record.cells.push(cell);
  if (end + 1 < bytes.length && bytes[end + 1] !== ',')
    record.problem = `there is text behind the quote that closes cell ${record.cells.length}`;
  return end + 1;
}

/** A quote inside a cell that does not begin with one is an ordinary character. */
function readPlain(record: OpenRecord, bytes: string, from: number): number {
  const comma = bytes.indexOf(',', from);
  const end = comma === -1 ? bytes.length : comma;
  record.cells.push(bytes.slice(from, end));
  return end;
}

function readLine(record: OpenRecord, bytes: string): void {
  let at = 0;
  if (record.quoted !== undefined) at = readQuoted(record, bytes, 0) + 1;
  else if (bytes === '') record.cells.push('');
  while (record.quoted === undefined && record.problem === undefined && at <= bytes.length && bytes !== '') {
    at = (bytes[at] === '"' ? readQuoted(record, bytes, at + 1) : readPlain(record, bytes, at)) + 1;
  }
}

/** The records of a file, empty lines included. After a damaged record, the next begins with the next line. */
export async function* readCsvRecords(source: FileSource): AsyncGenerator<CsvRecord> {
  let record: OpenRecord | undefined;
  for await (const { number, bytes, end, cut } of readLines(source)) {
    record ??= { line: number, cells: [], problem: undefined, quoted: undefined, size: 0 };
    record.size += bytes.length + end.length;
    if (cut || record.size > maxBytes)
      throw new BrokenFile(`is no CSV file: the record of line ${record.line} is longer than ${maxBytes} bytes`);
    readLine(record, bytes);
    if (record.quoted !== undefined) record.quoted += end;
    else {
      yield record;
      record = undefined;
    }
  }
  if (record !== undefined)
    throw new BrokenFile(`is no CSV file: a quote that is opened in line ${record.line} is not closed`);
}
