import type { Command } from 'commander';
import { act, examples } from '../action.ts';

export function registerLogout(program: Command): void {
  const command = program
    .command('logout')
    .summary('end the session')
    .description('Ends the session here and on the server. A personal token is forgotten, and goes on to be valid.');
  examples(command, 'taskflow logout');
  act(command, async (cli) => {
    const wasSignedIn = (await cli.secrets.session.read()) !== undefined || cli.secrets.personalToken() !== undefined;
    try {
      await cli.taskflow.session?.logout();
    } finally {
      // What cannot be ended on the server now ends there by itself; here it is over.
      await cli.secrets.clear();
    }
    cli.out.answerPlain({ signedOut: wasSignedIn }, () => (wasSignedIn ? 'signed out' : 'nobody was signed in'));
  });
}
