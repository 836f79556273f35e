import type { DescMessage, MessageShape } from '@bufbuild/protobuf';
import { toJson } from '#client/index';
import { paint } from './text.ts';

/** What a command says: results on standard output, everything else on standard error. */
export interface Output {
  readonly isJson: boolean;
  /** The result: the message as proto3 JSON with --json, else what `text` returns. */
  answer<D extends DescMessage>(schema: D, message: MessageShape<D>, text: () => string): void;
  /** The same for what is no message of the contract. */
  answerPlain(json: unknown, text: () => string): void;
  /** One line of JSON lines, or the text. */
  line(json: () => unknown, text: () => string): void;
  /** A remark that is no result; nothing with --json. */
  note(text: string): void;
  /** Shows on a terminal that work goes on, and how far it is. Rejects as `work` does. */
  progress<T>(describe: () => string, work: () => Promise<T>): Promise<T>;
}

const write = (text: string): void => void (text === '' || process.stdout.write(`${text}\n`));

async function withProgress<T>(describe: () => string, work: () => Promise<T>): Promise<T> {
  const { stderr } = process;
  if (!stderr.isTTY) return work();
  const show = (): void => void stderr.write(`\r\u001b[K${paint('dim', describe(), stderr)}`);
  const timer = setInterval(show, 200);
  try {
    return await work();
  } finally {
    clearInterval(timer);
    stderr.write('\r\u001b[K');
  }
}

export function createOutput(isJson: boolean): Output {
  const answerPlain: Output['answerPlain'] = (json, text) =>
    write(isJson ? JSON.stringify(json, undefined, 2) : text());
  return {
    isJson,
    answer: (schema, message, text) =>
      isJson ? write(JSON.stringify(toJson(schema, message), undefined, 2)) : write(text()),
    answerPlain,
    line: (json, text) => write(isJson ? JSON.stringify(json()) : text()),
    note: (text) => {
      if (!isJson) process.stderr.write(`${paint('dim', text, process.stderr)}\n`);
    },
    progress: withProgress,
  };
}
