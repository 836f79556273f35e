import { createHash, type Hash } from 'node:crypto';
import type { JsonValue } from '@bufbuild/protobuf';
import { fromJson } from '#client/index';
import { TaskPriority, TaskSchema, TaskStatus, type Task } from '#client/tasks';
import { decodeLine, readLines, type Line } from './file-lines.ts';
import { fileIdOf, idOfTask, isTaskId } from './file-ids.ts';
import { BrokenFile, readEntry, Unreadable, type FileEntry, type FileSource, type ImportedTask } from './file-task.ts';
import { toFileDue } from './task-messages.ts';

/** Only these lines are read; a later version may mean something else by them. */
const version = 1;

interface ExportLine {
  type?: unknown;
  format?: unknown;
  version?: unknown;
  service?: unknown;
  accountId?: unknown;
  counts?: Record<string, unknown>;
  sha256?: unknown;
  resource?: JsonValue;
}

/** What one service has exported, from its header to its trailer. */
interface Part {
  service: string;
  accountId: string;
  counts: Map<string, number>;
  digest: Hash;
}

/** Reads an export of ExportMyData, of one service or of several behind one another, line by line. */
export interface ExportParser {
  /** The own task of the line, if it has one. Throws BrokenFile. */
  add(line: Line): FileEntry | undefined;
  /** Throws BrokenFile unless the file ended with the end of a part, and tasks is one of the parts. */
  end(): void;
}

export function createExportParser(): ExportParser {
  const services = new Set<string>();
  let part: Part | undefined;
  return {
    add: (line) => {
      const parsed = parseLine(line);
      if (part === undefined) {
        part = openPart(parsed, line);
        services.add(part.service);
        return undefined;
      }
      if (parsed.type === 'trailer') {
        closePart(part, parsed, line);
        part = undefined;
        return undefined;
      }
      count(part, line, String(parsed.type));
      return parsed.type === 'task' ? readTask(parsed.resource, part, line) : undefined;
    },
    end: () => {
      if (part !== undefined) throw new BrokenFile('ends in the middle: it was not written to its end, or cut off');
      if (!services.has('tasks')) throw new BrokenFile('holds no export of the tasks');
    },
  };
}

/** The tasks that an account owned when it was exported. */
export async function* readExport(source: FileSource): AsyncGenerator<FileEntry> {
  const parser = createExportParser();
  for await (const line of readLines(source)) {
    const entry = parser.add(line);
    if (entry !== undefined) yield entry;
  }
  parser.end();
}

function parseLine(line: Line): ExportLine {
  try {
    const parsed: unknown = JSON.parse(decodeLine(line));
    if (typeof parsed === 'object' && parsed !== null) return parsed;
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof Unreadable)) throw error;
  }
  throw new BrokenFile(`has no JSON object in line ${line.number}`);
}

function openPart(header: ExportLine, line: Line): Part {
  if (header.type !== 'header' || header.format !== 'taskflow-export')
    throw new BrokenFile(`is no export of TaskFlow: line ${line.number} is not the header of a part`);
  if (header.version !== version)
    throw new BrokenFile(`has another version in line ${line.number} than ${version}, the one that can be read`);
  const part = {
    service: String(header.service),
    accountId: String(header.accountId),
    counts: new Map<string, number>(),
    digest: createHash('sha256'),
  };
  part.digest.update(bytesOf(line));
  return part;
}

function count({ counts, digest }: Part, line: Line, type: string): void {
  counts.set(type, (counts.get(type) ?? 0) + 1);
  digest.update(bytesOf(line));
}

function closePart({ service, counts, digest }: Part, { counts: told = {}, sha256 }: ExportLine, line: Line): void {
  const types = new Set([...counts.keys(), ...Object.keys(told)]);
  const isWhole = [...types].every((type) => (counts.get(type) ?? 0) === told[type]);
  if (!isWhole || digest.digest('hex') !== sha256)
    throw new BrokenFile(
      `was changed: what ${service} exported does not fit to its counts and digest in line ${line.number}`,
    );
}

const bytesOf = ({ bytes, end }: Line): Buffer => Buffer.from(bytes + end, 'latin1');

function readTask(resource: JsonValue | undefined, { accountId }: Part, line: Line): FileEntry {
  return readEntry(`:${line.number}`, () => toImported(decodeTask(resource), accountId));
}

function decodeTask(resource: JsonValue | undefined): Task {
  try {
    const task = fromJson(TaskSchema, resource ?? null, { ignoreUnknownFields: true });
    const { id, status, priority } = task;
    if (status in TaskStatus && status > 0 && priority in TaskPriority && priority > 0 && isTaskId(id)) return task;
  } catch {
    // Told below, without what was in the line.
  }
  throw new Unreadable('is no task that this version can read');
}

function toImported(task: Task, accountId: string): Omit<ImportedTask, 'place'> {
  const { title, description, status, priority, labels, id, externalId, assigneeId } = task;
  const fields = { title, description, status, priority, labels, due: toFileDue(task) };
  const ids = idOfTask(fileIdOf({ id, externalId }));
  const isOwnAssignment = assigneeId === accountId;
  return { ...fields, ...ids, externalId: externalId === '' ? ids.externalId : externalId, isOwnAssignment };
}
