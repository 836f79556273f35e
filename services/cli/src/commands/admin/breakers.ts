import type { Command } from 'commander';
import { create, itemsOf } from '#client/index';
import { BreakersService, BreakerState, ListBreakersResponseSchema, type Breaker } from '#client/resilience';
import { act, examples } from '../../action.ts';
import { renderTable } from '../../output/table.ts';
import { toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';
import { registerBreakerChanges } from './breaker-changes.ts';
import { atOption, servicesOf, type AtOptions } from './at-services.ts';

interface CallersBreaker {
  caller: string;
  breaker: Breaker;
}

function registerListing(breakers: Command): void {
  const command = breakers
    .command('ls', { isDefault: true })
    .summary('list breakers')
    .description('Shows the circuit breakers of the calls that services make to each other.')
    .addOption(atOption());
  examples(command, 'taskflow admin breakers', 'taskflow admin breakers --at tasks --json');
  act<AtOptions>(command, async (cli, { options }) => {
    const found: CallersBreaker[] = [];
    for (const caller of servicesOf(options)) {
      const { listBreakers } = cli.taskflow.connection.service(BreakersService, { at: caller });
      for await (const breaker of itemsOf(listBreakers, { pageSize: 100 })) found.push({ caller, breaker });
    }
    const list = create(ListBreakersResponseSchema, { breakers: found.map(({ breaker }) => breaker) });
    cli.out.answer(ListBreakersResponseSchema, list, () =>
      found.length === 0
        ? 'no breakers'
        : renderTable(found, [
            { head: 'CALLER', cell: ({ caller }) => caller },
            { head: 'METHOD', cell: ({ breaker: { callee, method } }) => `${callee} ${method}`, flexible: true },
            {
              head: 'STATE',
              cell: ({ breaker: { state, override } }) =>
                `${toWords(BreakerState[state])}${override === undefined ? '' : ' (overridden)'}`,
              style: ({ breaker: { state } }) => (state === BreakerState.CLOSED ? undefined : 'red'),
            },
            { head: 'SINCE', cell: ({ breaker: { changeTime } }) => showTime(changeTime, cli.zone) },
            { head: 'FAILED', cell: ({ breaker: { failedCount } }) => String(failedCount) },
            { head: 'REFUSED', cell: ({ breaker: { refusedCount } }) => String(refusedCount) },
          ]),
    );
  });
}

export function registerBreakers(admin: Command): void {
  const breakers = admin
    .command('breakers')
    .summary('the circuit breakers between services')
    .description('The circuit breakers of the calls that services make to each other.');
  registerListing(breakers);
  registerBreakerChanges(breakers);
}
