import { CsvError, parse } from 'csv-parse/sync';
import { TaskPriority, TaskStatus } from '#contract/tasks/v1/tasks';
import { atLocalTime, BrokenFile, createContentIds, fitTitle, readEntry, requireDay, requireZone, Unreadable, type FileDue, type FileTask, type ImportedTask, type ReadOptions, type TaskFile } from './file-task.ts';

type Row = Readonly<Record<string, string | undefined>>;

interface PlacedRow {
  place: string;
  row: Row;
}

/** Todoist's 4 is the one that has no colour. */
const priorities: Readonly<Record<string, TaskPriority>> = {
  '': TaskPriority.LOW,
  1: TaskPriority.URGENT,
  2: TaskPriority.HIGH,
  3: TaskPriority.MEDIUM,
  4: TaskPriority.LOW,
};

function requireColumns(names: string[]): string[] {
  const columns = names.map((name) => name.trim().toUpperCase());
  const missing = ['TYPE', 'CONTENT'].filter((name) => !columns.includes(name));
  if (missing.length > 0) throw new BrokenFile(`is no Todoist export: its first line has no ${missing.join(' and no ')}`);
  return columns;
}

function parseRows(content: string): PlacedRow[] {
  if (content.includes('\ufffd')) throw new BrokenFile('is not UTF-8');
  let line = 1;
  try {
    const options = { bom: true, columns: requireColumns, info: true, relax_column_count_less: true } as const;
    const records = parse(content, options) as unknown as { info: { lines: number }; record: Row }[];
    if (records.length === 0) requireColumns(content.split(/\r?\n/, 1)[0]?.split(',') ?? []);
    return records.map(({ info, record: row }) => {
      // Told is where a record ends, and it may have line breaks in it.
      const breaks = Object.values(row).join('').split('\n').length - 1;
      line = info.lines;
      return { place: `:${line - breaks}`, row };
    });
  } catch (error) {
    if (error instanceof CsvError) throw new BrokenFile(`is no CSV file: ${error.message}`);
    throw error;
  }
}

const months = ['jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'];
const timePart = String.raw`(?:(?:\s+at\s+|[ T])(?<time>\d{1,2}:\d{2}(?::\d{2}(?:\.\d{1,3})?)?)(?<utc>Z)?)?$`;
const dateForms = [
  new RegExp(String.raw`^(?<year>\d{4})-(?<number>\d{2})-(?<day>\d{2})${timePart}`),
  new RegExp(String.raw`^(?<day>\d{1,2}) (?<month>[a-z]{3,9}),? (?<year>\d{4})${timePart}`, 'i'),
  new RegExp(String.raw`^(?<month>[a-z]{3,9}) (?<day>\d{1,2}),? (?<year>\d{4})${timePart}`, 'i'),
];

/** One day, or one moment. Words such as "every day" or "tomorrow" mean something else at every reading. */
function readDate(text: string, zone: string): FileDue {
  const found = dateForms.map((form) => form.exec(text)?.groups).find((groups) => groups !== undefined);
  if (found === undefined) throw new Unreadable(`DATE "${text}" is not a day like 2026-11-30 or a time like 2026-11-30 15:00`);
  const number = found['number'] ?? String(months.indexOf((found['month'] ?? '').slice(0, 3).toLowerCase()) + 1);
  const date = requireDay([found['year'], number.padStart(2, '0'), (found['day'] ?? '').padStart(2, '0')].join('-'), 'DATE');
  const { time, utc } = found;
  return time === undefined ? { date, zone } : { time: atLocalTime(date, time.padStart(5, '0'), utc === undefined ? zone : 'UTC') };
}

function readDue(row: Row, fallback: string): FileDue | undefined {
  const date = (row['DATE'] || row['DEADLINE'] || '').trim();
  if (date === '') return undefined;
  const zone = row['TIMEZONE']?.trim() || fallback;
  return readDate(date, requireZone(zone, 'TIMEZONE'));
}

/** Words that begin with @ are labels. */
function splitContent(content: string): { text: string; labels: string[] } {
  const labels: string[] = [];
  const text = content.replaceAll(/(^|\s)@(\S+)/g, (_, before: string, label: string) => {
    labels.push(label);
    return before;
  });
  return { text: text.trim(), labels };
}

function readTask(row: Row, section: string, { zone }: ReadOptions): FileTask {
  const { text, labels } = splitContent(row['CONTENT'] ?? '');
  if (text === '') throw new Unreadable('CONTENT is empty');
  const priority = priorities[row['PRIORITY']?.trim() ?? ''];
  if (priority === undefined) throw new Unreadable(`PRIORITY "${row['PRIORITY']}" is none of 1, 2, 3, 4`);
  return {
    ...fitTitle(text, row['DESCRIPTION'] ?? ''),
    status: TaskStatus.PENDING,
    priority,
    due: readDue(row, zone),
    labels: [...new Set(section === '' ? labels : [section, ...labels])],
  };
}

const columnsOfTask = ['CONTENT', 'DESCRIPTION', 'PRIORITY', 'DATE', 'DEADLINE', 'TIMEZONE'];

function addNote(task: ImportedTask | undefined, note: string): void {
  if (task !== undefined) task.description = [task.description, note].filter((part) => part !== '').join('\n\n');
}

function cell(row: Row, name: string): string {
  return (row[name] ?? '').trim();
}

/** Reads what Todoist exports of a project: tasks, with the section they stand in as a label, and notes behind their task. */
export function readTodoistCsv(content: string, options: ReadOptions): TaskFile {
  const file: TaskFile = { tasks: [], malformed: [] };
  const idOf = createContentIds('todoist');
  let section = '';
  let lastTask: ImportedTask | undefined;
  for (const { place, row } of parseRows(content)) {
    const type = cell(row, 'TYPE').toLowerCase();
    if (type === 'task') {
      const externalId = idOf(JSON.stringify([section, ...columnsOfTask.map((name) => row[name] ?? '')]));
      const before = file.tasks.length;
      readEntry(file, place, () => ({ externalId, ...readTask(row, section, options) }));
      lastTask = file.tasks[before];
    } else if (type === 'section') section = cell(row, 'CONTENT');
    else if (type === 'note') addNote(lastTask, cell(row, 'CONTENT'));
    else if (type !== '' && type !== 'meta') file.malformed.push({ place, problem: `TYPE "${row['TYPE']}" is none of task, section, note` });
  }
  return file;
}
