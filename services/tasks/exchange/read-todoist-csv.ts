import { TaskPriority, TaskStatus } from '#client/tasks';
import { readCsvRecords, type CsvRecord } from './csv-records.ts';
import { createContentIds, idOfTask, isTaskId, type EntryId } from './file-ids.ts';
import { decodeText } from './file-lines.ts';
import {
  BrokenFile,
  fitTitle,
  readEntry,
  requireZone,
  Unreadable,
  type FileDue,
  type FileEntry,
  type FileSource,
  type FileTask,
  type ReadOptions,
} from './file-task.ts';
import { splitMarks } from './marked-words.ts';
import { isTodoistLabel, todoistPriorities, unguardFormula } from './todoist-columns.ts';
import { readTodoistDate } from './todoist-date.ts';

const columnsOfTask = 'CONTENT DESCRIPTION PRIORITY DATE DATE_LANG DEADLINE DEADLINE_LANG TIMEZONE TASKFLOW_ID'.split(
  ' ',
);

function readColumns({ cells }: CsvRecord): string[] {
  const columns = cells.map((name) => name.trim().toUpperCase());
  const missing = ['TYPE', 'CONTENT'].filter((name) => !columns.includes(name));
  if (missing.length > 0)
    throw new BrokenFile(`is no Todoist export: its first line has no ${missing.join(' and no ')}`);
  const repeated = ['TYPE', ...columnsOfTask].find((name) => columns.indexOf(name) !== columns.lastIndexOf(name));
  if (repeated !== undefined) throw new BrokenFile(`is no Todoist export: its first line has ${repeated} twice`);
  return columns;
}

/** Cells by column, decoded when they are asked for. */
class Row {
  readonly place: string;
  readonly #columns: readonly string[];
  readonly #record: CsvRecord;
  constructor(columns: readonly string[], record: CsvRecord) {
    this.place = `:${record.line}`;
    this.#columns = columns;
    this.#record = record;
  }
  get isEmpty(): boolean {
    return this.#record.problem === undefined && this.#record.cells.every((cell) => cell.trim() === '');
  }
  check(): void {
    const { problem, cells } = this.#record;
    if (problem !== undefined) throw new Unreadable(problem);
    if (cells.length > this.#columns.length)
      throw new Unreadable(`there are ${cells.length} cells, and ${this.#columns.length} columns`);
  }
  has(column: string): boolean {
    return this.#columns.includes(column);
  }
  /** The untrimmed text of a cell; '' without it. Throws Unreadable. */
  exact(column: string): string {
    return unguardFormula(decodeText(this.#record.cells[this.#columns.indexOf(column)] ?? '', column));
  }
  text(column: string): string {
    return this.exact(column).trim();
  }
}

function readDue(row: Row, fallback: string): FileDue | undefined {
  const column = row.text('DATE') === '' ? 'DEADLINE' : 'DATE';
  const date = row.text(column);
  return date === ''
    ? undefined
    : readTodoistDate(date, row.text(`${column}_LANG`), requireZone(row.text('TIMEZONE') || fallback, 'TIMEZONE'));
}

/** Todoist takes an empty cell as 1, its highest. Without the column, tasks are medium. */
function readPriority(row: Row): TaskPriority {
  const told = row.text('PRIORITY');
  if (!row.has('PRIORITY')) return TaskPriority.MEDIUM;
  if (told === '') return TaskPriority.URGENT;
  const found = Object.entries(todoistPriorities).find(([, number]) => number === told);
  if (found === undefined) throw new Unreadable(`PRIORITY "${told}" is none of 1, 2, 3, 4`);
  return Number(found[0]) as TaskPriority;
}

function readTask(row: Row, section: string, { zone }: ReadOptions): FileTask {
  const { text, marks } = splitMarks(row.exact('CONTENT'), isTodoistLabel);
  if (text === '') throw new Unreadable('CONTENT is empty');
  const labels = marks.map((mark) => mark.slice(1));
  return {
    ...fitTitle(text, row.exact('DESCRIPTION')),
    status: TaskStatus.PENDING,
    priority: readPriority(row),
    due: readDue(row, zone),
    labels: [...new Set(section === '' ? labels : [section, ...labels])],
  };
}

function readId(row: Row, section: string, idOf: (content: string) => EntryId): EntryId {
  const told = row.text('TASKFLOW_ID');
  if (told === '') return idOf(JSON.stringify([section, ...columnsOfTask.map((name) => row.exact(name))]));
  if (!isTaskId(told)) throw new Unreadable(`TASKFLOW_ID "${told}" is not the id of a task`);
  return idOfTask(told);
}

/** The service refuses longer descriptions. */
const maxDescription = 20_000;

function addNote(entry: FileEntry | undefined, row: Row): FileEntry[] {
  if (entry === undefined || !('task' in entry))
    return [{ skipped: { place: row.place, problem: 'is a note without a task before it that could be taken' } }];
  const { task } = entry;
  if (task.description.length <= maxDescription)
    task.description = [task.description, row.text('CONTENT')].filter((part) => part !== '').join('\n\n');
  return [];
}

/** A task has one due time, so a second date is left out. */
function remarksOf(row: Row): FileEntry[] {
  const both = row.text('DATE') !== '' && row.text('DEADLINE') !== '';
  return both
    ? [{ remark: { place: row.place, problem: 'is taken without its DEADLINE, because it has a DATE' } }]
    : [];
}

async function* readRows(source: FileSource): AsyncGenerator<Row> {
  let columns: string[] | undefined;
  for await (const record of readCsvRecords(source)) {
    if (columns !== undefined) yield new Row(columns, record);
    else columns = readColumns(record);
  }
  if (columns === undefined) throw new BrokenFile('is no Todoist export: it is empty');
}

/** Keeps what later rows depend on: the section they are in, and the task that notes belong to. */
class TodoistReader {
  readonly #options: ReadOptions;
  readonly #idOf = createContentIds('todoist');
  #section = '';
  #last: FileEntry | undefined;
  found = 0;
  sections = 0;
  constructor(options: ReadOptions) {
    this.#options = options;
  }

  /** The entries that are complete once this row is read. */
  *read(row: Row): Generator<FileEntry> {
    try {
      row.check();
      const type = row.text('TYPE').toLowerCase();
      if (type === 'note') return yield* addNote(this.#last, row);
      yield* this.takeLast();
      yield* this.#begin(row, type);
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      yield* this.takeLast();
      yield { skipped: { place: row.place, problem: error.message } };
    }
  }

  /** The last task, to which notes can no longer be added. */
  takeLast(): FileEntry[] {
    const entries = this.#last === undefined ? [] : [this.#last];
    this.#last = undefined;
    this.found += entries.length;
    return entries;
  }

  #begin(row: Row, type: string): FileEntry[] {
    if (type === 'task') {
      this.#last = readEntry(row.place, () => ({
        ...readTask(row, this.#section, this.#options),
        ...readId(row, this.#section, this.#idOf),
      }));
      return 'task' in this.#last ? remarksOf(row) : [];
    }
    if (type === 'section') {
      this.#section = row.text('CONTENT');
      this.sections += 1;
    } else if (type !== 'meta' && !row.isEmpty)
      throw new Unreadable(`TYPE "${row.text('TYPE')}" is none of task, section, note`);
    return [];
  }
}

/** Reads a project that Todoist exported: tasks, their section as a label, and notes, which follow their task. */
export async function* readTodoistCsv(source: FileSource, options: ReadOptions): AsyncGenerator<FileEntry> {
  const reader = new TodoistReader(options);
  let skipped = 0;
  for await (const row of readRows(source)) {
    for (const entry of reader.read(row)) {
      skipped += 'skipped' in entry ? 1 : 0;
      yield entry;
    }
  }
  yield* reader.takeLast();
  if (reader.found + skipped === 0 && reader.sections > 0) throw new BrokenFile('holds sections and no task');
}
