import type { Command } from 'commander';
import { AuditOutcome, AuditService, ListAuditEventsResponseSchema, type AuditEvent } from '#client/audit';
import { create, itemsOf, timestampDate } from '#client/index';
import { act, examples } from '../../action.ts';
import { readCount } from '../../input/choices.ts';
import { renderTable } from '../../output/table.ts';
import { oneLine, toWords } from '../../output/text.ts';
import { showTime } from '../../output/times.ts';
import { atOption, servicesOf, type AtOptions } from './at-services.ts';
import { findAccount } from './find-account.ts';

interface AuditOptions extends AtOptions {
  action?: string;
  account?: string;
  refused?: boolean;
  limit: number;
}

const timeOf = ({ createTime }: AuditEvent): number => (createTime ? timestampDate(createTime).getTime() : 0);

export function registerAudit(admin: Command): void {
  const command = admin
    .command('audit')
    .summary('who did what')
    .description('Shows who did what, of all services together, the latest first.')
    .option('--action <action>', 'only such, as the list has it')
    .option('--account <who>', 'only what concerns an account: an e-mail, an id or a part of one')
    .option('--refused', 'only what was refused')
    .addOption(atOption())
    .option('--limit <count>', 'at most so many', readCount, 50);
  examples(command, 'taskflow admin audit --limit 20', 'taskflow admin audit --at auth --refused --json');
  act<AuditOptions>(command, async (cli, { options }) => {
    const { action = '', account, refused = false, limit } = options;
    const accountId = account === undefined ? '' : await findAccount(account, cli);
    const outcome = refused ? AuditOutcome.REFUSED : AuditOutcome.UNSPECIFIED;
    const found: AuditEvent[] = [];
    for (const at of servicesOf(options)) {
      const { listAuditEvents } = cli.taskflow.connection.service(AuditService, { at });
      let count = 0;
      for await (const event of itemsOf(listAuditEvents, {
        action,
        accountId,
        outcome,
        pageSize: Math.min(limit, 100),
      })) {
        found.push(event);
        if ((count += 1) >= limit) break;
      }
    }
    const events = found.toSorted((one, other) => timeOf(other) - timeOf(one)).slice(0, limit);
    const list = create(ListAuditEventsResponseSchema, { events });
    cli.out.answer(ListAuditEventsResponseSchema, list, () =>
      events.length === 0
        ? 'nothing'
        : renderTable(events, [
            { head: 'WHEN', cell: ({ createTime }) => showTime(createTime, cli.zone) },
            { head: 'WHAT', cell: (event) => oneLine(event.action) },
            { head: 'OUTCOME', cell: (event) => `${toWords(AuditOutcome[event.outcome])} ${event.reason}`.trim() },
            // Who signs in is nobody yet, and the account says whose sign-in it is.
            { head: 'WHO', cell: ({ actorId, accountId: subject }) => actorId || subject, flexible: true },
            { head: 'TO WHAT', cell: ({ targetId }) => oneLine(targetId), flexible: true },
            { head: 'FROM', cell: ({ address }) => oneLine(address) },
          ]),
    );
  });
}
