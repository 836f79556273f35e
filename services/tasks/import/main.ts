// npm run import -- FILE: loads a todo.txt file through the public API.
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { AuthServiceService } from '#contract/auth/v1/auth';
import { TasksServiceService } from '#contract/tasks/v1/tasks';
import { CallError, openPublicClient, patiently } from '#libs/grpc';
import { parseTodoTxt, type MalformedLine } from './todo-txt.ts';
import { uploadTasks } from './upload.ts';

const usage = `usage: npm run import -- FILE [--email E-MAIL]
  FILE                    a todo.txt file
  --email, TASKFLOW_EMAIL whose tasks they become
  TASKFLOW_PASSWORD       that account's password
  TASKFLOW_AUTH_ADDRESS, TASKFLOW_TASKS_ADDRESS   127.0.0.1:50051 and 127.0.0.1:50053 when not set
Exit status: 0 all lines are there; 2 some lines were skipped; 1 nothing can be said, run it again.`;

/** How long a service that is away is waited for. */
const patienceMs = 60_000;

interface Settings {
  file: string;
  email: string;
  password: string;
}

function readSettings(): Settings {
  const { values, positionals } = parseArgs({ options: { email: { type: 'string' } }, allowPositionals: true });
  const email = values.email ?? process.env['TASKFLOW_EMAIL'] ?? '';
  const password = process.env['TASKFLOW_PASSWORD'] ?? '';
  const [file] = positionals;
  if (file === undefined || email === '' || password === '') throw new Error(usage);
  // npm changes the folder and tells where it was called from.
  return { file: resolve(process.env['INIT_CWD'] ?? '.', file), email, password };
}

/** Signs in again shortly before the token expires. */
function createTokenSource({ email, password }: Settings): { token: () => Promise<string>; close: () => void } {
  const auth = openPublicClient(AuthServiceService, process.env['TASKFLOW_AUTH_ADDRESS'] ?? '127.0.0.1:50051');
  let current: Promise<{ token: string; expires: number }> | undefined;
  const signIn = async (): Promise<{ token: string; expires: number }> => {
    const { tokens } = await patiently(() => auth.login({ email, password }), patienceMs);
    return { token: tokens?.accessToken ?? '', expires: tokens?.accessTokenExpireTime?.getTime() ?? 0 };
  };
  const token = async (): Promise<string> => {
    current ??= signIn();
    const held = await current;
    if (held.expires - Date.now() > 60_000) return held.token;
    current = signIn();
    return (await current).token;
  };
  return { token, close: () => auth.close() };
}

function report(lines: readonly MalformedLine[], file: string): void {
  for (const { line, problem } of lines) process.stderr.write(`${file}:${line}: skipped: ${problem}\n`);
}

async function run(): Promise<number> {
  const settings = readSettings();
  const { tasks, malformed } = parseTodoTxt(readFileSync(settings.file, 'utf8'));
  report(malformed, settings.file);
  const source = createTokenSource(settings);
  const client = openPublicClient(TasksServiceService, process.env['TASKFLOW_TASKS_ADDRESS'] ?? '127.0.0.1:50053');
  try {
    const result = await uploadTasks(tasks, { client, token: source.token, runId: randomUUID(), patienceMs });
    report(result.refused, settings.file);
    const skipped = malformed.length + result.refused.length;
    process.stdout.write(`${result.added} added, ${result.present} already there, ${skipped} skipped\n`);
    return skipped === 0 ? 0 : 2;
  } finally {
    client.close();
    source.close();
  }
}

try {
  process.exitCode = await run();
} catch (error) {
  const reason = error instanceof CallError ? ` (${error.reason ?? error.kind})` : '';
  process.stderr.write(`import: ${(error as Error).message}${reason}\n`);
  process.exitCode = 1;
}
process.disconnect?.();
