import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from '@jest/globals';
import type { Command } from 'commander';
import { deadJob, deadLetterEvent } from '../../../libs/dev/flows/job-records.ts';
import { createProgram } from '../src/program.ts';
import { newEmail, startCliCluster, taskflow, type CliCluster } from './start-cli.ts';

interface Example {
  /** "admin users find" */
  path: string;
  line: string;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => void (text += part) }).outputHelp();
  return text;
}

function examplesOf(command: Command, path: readonly string[] = []): Example[] {
  const own = [...helpOf(command).matchAll(/^ {2}\$ (.*)$/gm)].map(([, line = '']) => ({ path: path.join(' '), line }));
  const below = command.commands.filter((one) => one.name() !== 'help');
  return [...own, ...below.flatMap((one) => examplesOf(one, [...path, one.name()]))];
}

const last = ['logout'];
const found = examplesOf(createProgram());
const examples = [
  ...found.filter(({ path }) => !last.includes(path)),
  ...found.filter(({ path }) => last.includes(path)),
];

let cli: CliCluster;

beforeAll(async () => {
  cli = await startCliCluster();
  await cli.run(['register', 'ada@example.com']);
  await cli.run(['profile', 'set', 'admin']);
  await cli.run(['--profile', 'admin', 'login', cli.cluster.admin.email], {
    env: { TASKFLOW_PASSWORD: cli.cluster.admin.password },
  });
});

afterAll(() => cli?.stop());

/** Somebody with an account. */
async function register(): Promise<string> {
  const email = newEmail();
  await cli.json('--profile', 'admin', 'admin', 'users', 'create', email);
  return email;
}

async function deletedAccount(): Promise<string> {
  const email = await register();
  const { account } = await cli.json<{ account: { id: string } }>(
    ...['--profile', 'admin', 'admin', 'users', 'delete', email, '--yes'],
  );
  return account.id;
}

async function deletedTask(): Promise<string> {
  const id = await cli.addTask('Deleted');
  await cli.run(['rm', id]);
  return id;
}

async function newToken(): Promise<string> {
  const { personalToken } = await cli.json<{ personalToken: { id: string } }>(
    ...['token', 'create', 'example', '--scope', 'tasks:read'],
  );
  return personalToken.id;
}

async function commentedTask(): Promise<string> {
  const id = await cli.addTask('Commented');
  await cli.run(['comment', 'add', id, 'Done by two.']);
  return id;
}

async function newWebhook(): Promise<string> {
  for (const { id } of (await cli.json<{ webhooks?: { id: string }[] }>('webhook', 'ls')).webhooks ?? [])
    await cli.run(['webhook', 'delete', id]);
  const { webhook } = await cli.json<{ webhook: { id: string } }>(
    ...['webhook', 'create', 'https://hooks.example.com/hook', '--events', 'task'],
  );
  return webhook.id;
}

async function newProject(key = 'EXAMPLE'): Promise<string> {
  return (await cli.json<{ project: { id: string } }>('project', 'create', key, 'An example')).project.id;
}

async function deletedProject(): Promise<string> {
  const id = await newProject();
  await cli.run(['project', 'rm', id]);
  return id;
}

let movable: Promise<string> | undefined;
/** There is one project with the key WEB then. */
async function movableTask(): Promise<string> {
  movable ??= newProject('WEB');
  await movable;
  return cli.addTask('To be moved');
}

/** What ID stands for in the examples of a command. */
const ids: Readonly<Record<string, () => Promise<string>>> = {
  restore: deletedTask,
  'comment edit': commentedTask,
  'comment rm': commentedTask,
  mv: movableTask,
  'project archive': newProject,
  'project unarchive': newProject,
  'project rm': newProject,
  'project restore': deletedProject,
  'project members': newProject,
  'token revoke': newToken,
  'webhook delete': newWebhook,
  'webhook enable': newWebhook,
  'webhook deliveries': newWebhook,
  'webhook replay': newWebhook,
  'admin users restore': deletedAccount,
  'admin schedules delete': newSchedule,
  'admin dead-jobs retry': () => deadJob(cli),
  'admin dead-jobs discard': () => deadJob(cli),
  'admin dead-events retry': async () => String(await deadLetterEvent(cli)),
  'admin dead-events discard': async () => String(await deadLetterEvent(cli)),
};
/** Deleting one needs one that is not built in. */
async function newSchedule(): Promise<string> {
  const id = `s${randomBytes(4).toString('hex')}`;
  await cli.json(
    ...['--profile', 'admin', 'admin', 'schedules', 'create', id, '--job', 'prune-records', '--every', '7d'],
  );
  return id;
}

const forNewPeople = ['register', 'admin users create', 'admin users invite'];

async function fill({ path, line }: Example): Promise<string> {
  const id = /\bID\b/.test(line) ? await (ids[path] ?? (() => cli.addTask('An example')))() : '';
  const email = /\bEMAIL\b/.test(line) ? await (forNewPeople.includes(path) ? newEmail() : register()) : '';
  return line.replace(/\bID\b/, id).replace(/\bEMAIL\b/, email);
}

it('finds an example of nearly every command', () => {
  expect(examples.length).toBeGreaterThan(50);
});

it.each(examples)('runs: $line', async (example) => {
  const line = await fill(example);
  const script = `taskflow() { ${taskflow.map((part) => `'${part}'`).join(' ')} "$@"; }\n${line}`;
  const env: Record<string, string> = example.path.startsWith('admin') ? { TASKFLOW_PROFILE: 'admin' } : {};
  const { code, errors } = await cli.start(['bash', '-c', script], { input: '', env }).ended;
  expect({ code, errors: code === 0 ? '' : errors }).toEqual({ code: 0, errors: '' });
});
