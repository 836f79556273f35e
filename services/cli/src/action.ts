import type { Command } from 'commander';
import { openCli, type Cli, type GlobalOptions } from './cli.ts';
import { interruption } from './interruption.ts';

/** The options of a command, as commander has read them. */
export type Options = Readonly<Record<string, unknown>>;

type Work<Asked> = (cli: Cli, asked: { args: string[]; options: Asked }) => Promise<number | void>;

/** What a command does. The number that it resolves to is the exit code. */
export function act<Asked = Options>(command: Command, work: Work<Asked>): void {
  command.action(async () => {
    const cli = openCli(command.optsWithGlobals<GlobalOptions>(), interruption.signal);
    try {
      const code = await work(cli, {
        args: command.processedArgs.flat() as string[],
        options: command.opts() as Asked,
      });
      if (typeof code === 'number') process.exitCode = code;
    } finally {
      cli.close();
    }
  });
}

/** Shows what to type, at the end of the help. A test runs each of them. */
export function examples(command: Command, ...lines: string[]): void {
  command.addHelpText('after', `\nExamples:\n${lines.map((line) => `  $ ${line}`).join('\n')}`);
}
