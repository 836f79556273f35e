import type { Command } from 'commander';
import { act, examples } from '../action.ts';
import { readVersion } from '../version.ts';

export function registerMcp(program: Command): void {
  const command = program
    .command('mcp')
    .summary('serve an agent')
    .description(
      'Serves an agent that has started this program, by the Model Context Protocol on standard input and output. It ' +
        'acts as whoever is signed in. Give an agent that must not do everything a personal token of its own, by ' +
        'TASKFLOW_TOKEN: it then sees only the tools that the token allows.',
    );
  examples(command, 'taskflow mcp');
  act(command, async (cli) => {
    const { serveMcpOverStdio } = await import('#libs/mcp');
    const { ended, close } = serveMcpOverStdio({
      connection: cli.taskflow.connection,
      version: readVersion(),
      onError: (error) => cli.out.note(error.message),
    });
    cli.signal.addEventListener('abort', () => void close());
    await ended;
  });
}
