import type { Command } from 'commander';
import { GetMeResponseSchema, Role } from '#client/users';
import { act, examples } from '../action.ts';
import { oneLine, toWords } from '../output/text.ts';

export function registerWhoami(program: Command): void {
  const command = program
    .command('whoami')
    .summary('who is signed in')
    .description('Shows who is signed in, by what the services know.');
  examples(command, 'taskflow whoami');
  act(command, async (cli) => {
    const answer = await cli.taskflow.users.getMe({});
    const { user } = answer;
    cli.out.answer(GetMeResponseSchema, answer, () =>
      user === undefined
        ? ''
        : [
            `${oneLine(user.displayName)} <${oneLine(user.email)}>, ${toWords(Role[user.role])}`,
            `id ${user.id}, time zone ${user.timeZone}, profile ${cli.profileName}`,
          ].join('\n'),
    );
  });
}
