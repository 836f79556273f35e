import { randomUUID } from 'node:crypto';
import { InvalidArgumentError, Option, type Command } from 'commander';
import {
  CreatePersonalTokenResponseSchema,
  ListPersonalTokensResponseSchema,
  RevokePersonalTokenResponseSchema,
  Scope,
  type PersonalToken,
} from '#client/auth';
import { create, itemsOf } from '#client/index';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { resolveId, shortenAmong } from '../input/short-ids.ts';
import { readSpan } from '../input/spans.ts';
import { renderTable } from '../output/table.ts';
import { oneLine } from '../output/text.ts';
import { showTime } from '../output/times.ts';

interface CreateOptions {
  scope: Scope[];
  expires: bigint;
}

/** tasks:read for TASKS_READ, as services name them; admin for ADMIN. */
const toScopeName = (name: string): string => name.toLowerCase().replace('_', ':');
const scopes = Object.entries(Scope).flatMap(([name, value]) =>
  typeof value === 'number' && value > Scope.SESSION_ONLY && value !== Scope.ANY
    ? [{ name: toScopeName(name), value: value as Scope }]
    : [],
);
const nameOf = (scope: Scope): string => scopes.find(({ value }) => value === scope)?.name ?? String(scope);

function readScopes(text: string, before: Scope[] = []): Scope[] {
  const read = text.split(',').map((part) => {
    const scope = scopes.find(({ name }) => name === part.trim());
    if (scope === undefined)
      throw new InvalidArgumentError(`It is none of ${scopes.map(({ name }) => name).join(', ')}.`);
    return scope.value;
  });
  return [...new Set([...before, ...read])];
}

/** As the contract has it for `ttl`. */
const longestDays = 366;

const read = readSpan(['h', 'd', 'w'], '12h, 30d or 52w');

function readExpiry(text: string): bigint {
  const seconds = read(text);
  if (seconds > longestDays * 86_400) throw new InvalidArgumentError(`It must be at most ${longestDays}d.`);
  return seconds;
}

function registerCreation(token: Command): void {
  const command = token
    .command('create')
    .summary('make a token')
    .description('Makes a personal token, for a program. It is shown this once, alone on standard output.')
    .argument('<name>', 'what it is for')
    .addOption(
      new Option('--scope <scopes>', `what it may do, required: ${scopes.map(({ name }) => name).join(', ')}`)
        .argParser(readScopes)
        .makeOptionMandatory(),
    )
    .addOption(
      new Option('--expires <span>', 'how long it is valid, such as 12h, 30d or 52w')
        .argParser(readExpiry)
        .default(readExpiry('30d'), '30d'),
    );
  examples(command, 'taskflow token create "my backup" --scope tasks:read,users:read --expires 52w');
  act<CreateOptions>(command, async (cli, { args: [name = ''], options: { scope, expires } }) => {
    const request = { name, scopes: scope, ttl: { seconds: expires }, requestId: randomUUID() };
    const answer = await cli.taskflow.auth.createPersonalToken(request);
    cli.out.answer(CreatePersonalTokenResponseSchema, answer, () => answer.token);
    cli.out.note(`valid until ${showTime(answer.personalToken?.expireTime, cli.zone)}; it is not shown again`);
  });
}

const readTokens = (cli: Cli): Promise<PersonalToken[]> =>
  Array.fromAsync(itemsOf(cli.taskflow.auth.listPersonalTokens, { pageSize: 100 }));

function registerListing(token: Command): void {
  const command = token
    .command('ls', { isDefault: true })
    .summary('list tokens')
    .description('Lists your personal tokens, without what proves them.');
  examples(command, 'taskflow token ls');
  act(command, async (cli) => {
    const personalTokens = await readTokens(cli);
    const shorten = shortenAmong(personalTokens.map(({ id }) => id));
    const list = create(ListPersonalTokensResponseSchema, { personalTokens });
    cli.out.answer(ListPersonalTokensResponseSchema, list, () =>
      personalTokens.length === 0
        ? 'no tokens'
        : renderTable(personalTokens, [
            { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
            { head: 'NAME', cell: ({ name }) => oneLine(name), flexible: true },
            { head: 'SCOPES', cell: (one) => one.scopes.map(nameOf).join(' '), flexible: true },
            {
              head: 'UNTIL',
              cell: ({ revokeTime, expireTime }) =>
                revokeTime === undefined ? showTime(expireTime, cli.zone) : 'revoked',
            },
            { head: 'LAST USE', cell: ({ lastUseTime }) => showTime(lastUseTime, cli.zone) },
          ]),
    );
  });
}

function registerRevocation(token: Command): void {
  const command = token
    .command('revoke')
    .summary('end a token')
    .description('Ends a personal token at once and for ever.')
    .argument('<id>', 'of the token, or the beginning or end of it');
  examples(command, 'taskflow token revoke ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const personalTokenId = await resolveId(typed, {
      noun: 'token',
      read: async function* () {
        for (const { id, name } of await readTokens(cli)) yield { id, title: name };
      },
    });
    const answer = await cli.taskflow.auth.revokePersonalToken({ personalTokenId, requestId: randomUUID() });
    cli.out.answer(
      RevokePersonalTokenResponseSchema,
      answer,
      () => `revoked ${oneLine(answer.personalToken?.name ?? personalTokenId)}`,
    );
  });
}

export function registerToken(program: Command): void {
  const token = program
    .command('token')
    .summary('personal tokens, for programs')
    .description('Personal tokens, for programs. Each does what its scopes say.');
  registerListing(token);
  registerCreation(token);
  registerRevocation(token);
}
