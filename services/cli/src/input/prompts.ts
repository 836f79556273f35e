import type * as Clack from '@clack/prompts';
import { Failure, Interrupted, UsageError } from '../faults.ts';
import { exitCodes } from '../exit-codes.ts';

const isTerminal = (): boolean => process.stdin.isTTY === true && process.stderr.isTTY === true;

async function readStdin(): Promise<string> {
  let text = '';
  for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk as string;
  return text.replace(/\r?\n$/, '');
}

/** Without a question that somebody can still answer, such as after Ctrl-D, the process would just end. */
const leave = (): never => process.exit(exitCodes.interrupted);

/** A question hides it, and brings it back only when it is answered. */
const showCursor = (): void => void process.stderr.write('\u001b[?25h');

async function ask(open: (clack: typeof Clack) => Promise<string | symbol | boolean | undefined>) {
  const clack = await import('@clack/prompts');
  process.once('beforeExit', leave);
  process.once('exit', showCursor);
  const answer = await open(clack);
  process.off('beforeExit', leave);
  process.off('exit', showCursor);
  if (clack.isCancel(answer)) throw new Interrupted();
  return answer;
}

/** On standard error, because standard output is for results. */
const output = { output: process.stderr };

export async function askText(message: string, flag: string): Promise<string> {
  if (!isTerminal()) throw new UsageError(`say ${flag}`);
  return String((await ask(({ text }) => text({ message, ...output }))) ?? '');
}

/** From standard input with --password-stdin, else from TASKFLOW_PASSWORD, else it is asked for. */
export async function findPassword({ passwordStdin = false, isNew = false }): Promise<string> {
  if (passwordStdin) return readStdin();
  const { TASKFLOW_PASSWORD: given = '' } = process.env;
  if (given !== '') return given;
  if (!isTerminal()) throw new UsageError('give the password by --password-stdin or TASKFLOW_PASSWORD');
  const entered = String((await ask(({ password }) => password({ message: 'Password', ...output }))) ?? '');
  if (!isNew) return entered;
  const again = await ask(({ password }) => password({ message: 'The same password again', ...output }));
  if (again !== entered) throw new Failure('the two passwords differ', exitCodes.usage);
  return entered;
}

/** Before what cannot be undone. Without a terminal, --yes has to say it. */
export async function confirm(message: string, isSure: boolean): Promise<void> {
  if (isSure) return;
  if (!isTerminal()) throw new UsageError('say --yes to go on without being asked');
  if ((await ask(({ confirm: question }) => question({ message, initialValue: false, ...output }))) !== true)
    throw new Failure('nothing was done');
}
