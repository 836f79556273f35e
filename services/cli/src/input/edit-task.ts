import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { TaskPriority, TaskStatus, type Task } from '#client/tasks';
import type { Cli } from '../cli.ts';
import type { EditOptions } from '../commands/edit.ts';
import { Failure, UsageError } from '../faults.ts';
import { showDue } from '../output/times.ts';
import { readChoice, wordsOf } from './choices.ts';

const toWord = (name: string | undefined): string => (name ?? '').toLowerCase().replaceAll('_', '-');

/** As readDue reads it again. */
const writeDue = (task: Task, zone: string): string => showDue(task, zone) || 'none';

function write(task: Task, zone: string): string {
  return [
    `title: ${task.title}`,
    `status: ${toWord(TaskStatus[task.status])}`,
    `priority: ${toWord(TaskPriority[task.priority])}`,
    `due: ${writeDue(task, zone)}`,
    `labels: ${task.labels.join(', ')}`,
    '',
    task.description,
  ].join('\n');
}

/** Heads with a colon, an empty line, and the description behind it. */
function read(text: string): { heads: Map<string, string>; description: string } {
  const [head = '', ...rest] = text.split('\n\n');
  const heads = new Map(
    head.split('\n').map((line) => {
      const [, name, value = ''] = /^(\w+): ?(.*)$/.exec(line) ?? [];
      if (name === undefined)
        throw new Failure(`the line "${line}" has no name like "title:" in front; nothing was changed`);
      return [name, value.trim()];
    }),
  );
  return { heads, description: rest.join('\n\n').replace(/\n$/, '') };
}

async function openEditor(file: string): Promise<void> {
  const editor = process.env['VISUAL'] || process.env['EDITOR'];
  if (!editor) throw new UsageError('say what to change, or set EDITOR to an editor');
  const child = spawn(`${editor} "$TASKFLOW_EDITED"`, {
    shell: true,
    stdio: 'inherit',
    env: { ...process.env, TASKFLOW_EDITED: file },
  });
  const code = await new Promise((resolve, reject) => child.once('error', reject).once('exit', resolve));
  if (code !== 0) throw new Failure(`${editor} ended with ${code}; nothing was changed`);
}

function toOptions(text: string): Required<Pick<EditOptions, 'title' | 'description' | 'due' | 'label'>> & EditOptions {
  const { heads, description } = read(text);
  return {
    title: heads.get('title') ?? '',
    description,
    status: readChoice<TaskStatus>(TaskStatus, wordsOf(TaskStatus), heads.get('status') ?? ''),
    priority: readChoice<TaskPriority>(TaskPriority, wordsOf(TaskPriority), heads.get('priority') ?? ''),
    due: heads.get('due') || 'none',
    label: (heads.get('labels') ?? '').split(',').flatMap((label) => label.trim() || []),
  };
}

const isSame = (one: unknown, other: unknown): boolean => JSON.stringify(one) === JSON.stringify(other);

/** Opens the task in an editor. Returns what has another value afterwards. */
export async function editTask(task: Task, { zone }: Cli): Promise<EditOptions> {
  const folder = mkdtempSync(join(tmpdir(), 'taskflow-'));
  const file = join(folder, 'task.txt');
  try {
    const text = `${write(task, zone)}\n`;
    writeFileSync(file, text, { mode: 0o600 });
    await openEditor(file);
    const before = toOptions(text);
    const after = Object.entries(toOptions(readFileSync(file, 'utf8')));
    return Object.fromEntries(after.filter(([name, value]) => !isSame(value, before[name as keyof EditOptions])));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
