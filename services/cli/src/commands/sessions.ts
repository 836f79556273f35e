import { randomUUID } from 'node:crypto';
import type { Command } from 'commander';
import { ListSessionsResponseSchema, RevokeOtherSessionsResponseSchema, type Session } from '#client/auth';
import { create, itemsOf } from '#client/index';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { resolveId, shortenAmong } from '../input/short-ids.ts';
import { renderTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';
import { showTime } from '../output/times.ts';

const readSessions = (cli: Cli): Promise<Session[]> =>
  Array.fromAsync(itemsOf(cli.taskflow.auth.listSessions, { pageSize: 100 }));

function registerListing(sessions: Command): void {
  const command = sessions
    .command('ls', { isDefault: true })
    .summary('list sessions')
    .description('Lists where you are signed in. A star marks this session.');
  examples(command, 'taskflow sessions');
  act(command, async (cli) => {
    const found = await readSessions(cli);
    const shorten = shortenAmong(found.map(({ id }) => id));
    const list = create(ListSessionsResponseSchema, { sessions: found });
    cli.out.answer(ListSessionsResponseSchema, list, () =>
      renderTable(found, [
        { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
        { head: '', cell: ({ current }) => (current ? '*' : '') },
        { head: 'SINCE', cell: ({ createTime }) => showTime(createTime, cli.zone) },
        { head: 'LAST USE', cell: ({ lastUseTime }) => showTime(lastUseTime, cli.zone) },
        { head: 'FROM', cell: ({ ipAddress }) => oneLine(ipAddress) },
        { head: 'BY', cell: ({ userAgent }) => oneLine(userAgent), flexible: true },
      ]),
    );
  });
}

function registerRevocation(sessions: Command): void {
  const command = sessions
    .command('revoke')
    .summary('end sessions')
    .description('Ends a session, or with --others all but this one.')
    .argument('[id]', 'of the session, or the beginning or end of it')
    .option('--others', 'all sessions but this one');
  examples(command, 'taskflow sessions revoke --others');
  act<{ others?: boolean }>(command, async (cli, { args: [typed], options: { others = false } }) => {
    if (others === (typed !== undefined)) command.error('error: name a session, or say --others');
    const { auth } = cli.taskflow;
    const requestId = randomUUID();
    if (typed === undefined) {
      const answer = await auth.revokeOtherSessions({ requestId });
      return cli.out.answer(RevokeOtherSessionsResponseSchema, answer, () => `${answer.revokedCount} ended`);
    }
    const sessionId = await resolveId(typed, {
      noun: 'session',
      read: async function* () {
        for (const { id, userAgent } of await readSessions(cli)) yield { id, title: userAgent };
      },
    });
    await auth.revokeSession({ sessionId, requestId });
    cli.out.answerPlain({ revokedSessionId: sessionId }, () => `ended ${sessionId}`);
  });
}

export function registerSessions(program: Command): void {
  const sessions = program
    .command('sessions')
    .summary('where you are signed in')
    .description('Where you are signed in.');
  registerListing(sessions);
  registerRevocation(sessions);
}
