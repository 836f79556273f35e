import { randomUUID } from 'node:crypto';
import { Option, type Command } from 'commander';
import { create, itemsOf, type Timestamp } from '#client/index';
import {
  CreateWebhookResponseSchema,
  DeleteWebhookResponseSchema,
  EnableWebhookResponseSchema,
  ListWebhookDeliveriesResponseSchema,
  ListWebhooksResponseSchema,
  NotificationKind,
  ReplayWebhookResponseSchema,
  WebhookDeliveryState,
  WebhookMessageType,
  WebhookState,
  type Webhook,
  type WebhookDelivery,
} from '#client/scheduler';
import { act, examples } from '../action.ts';
import type { Cli } from '../cli.ts';
import { readChoiceList, readCount, wordsOf } from '../input/choices.ts';
import { resolveId, shortenAmong } from '../input/short-ids.ts';
import { events, nouns, readEvents, readSince, toEventName } from '../input/webhook-events.ts';
import { renderTable } from '../output/table.ts';
import { oneLine, toWords } from '../output/text.ts';
import { showTime } from '../output/times.ts';

const kindWords = wordsOf(NotificationKind, 'WEBHOOK_DISABLED', 'OVERDUE_DIGEST');
const stateWords = wordsOf(WebhookDeliveryState);

const readWebhooks = (cli: Cli): Promise<Webhook[]> =>
  Array.fromAsync(itemsOf(cli.taskflow.notifications.listWebhooks, { pageSize: 100 }));

const resolveWebhook = (typed: string, cli: Cli): Promise<string> =>
  resolveId(typed, {
    noun: 'webhook',
    read: async function* () {
      for (const { id, url } of await readWebhooks(cli)) yield { id, title: url };
    },
  });

const sent = ({ kinds, events: wanted }: Webhook): string => {
  const told = wanted.map((value) => toEventName(WebhookMessageType[value]));
  const notified =
    kinds.length === 0 && told.length === 0
      ? ['all notifications']
      : kinds.map((kind) => toWords(NotificationKind[kind]));
  return [...notified, ...told].join(', ');
};

function registerListing(webhook: Command): void {
  const command = webhook
    .command('ls', { isDefault: true })
    .summary('list webhooks')
    .description('Lists your webhooks, what is sent there, and whether it works.');
  examples(command, 'taskflow webhook ls');
  act(command, async (cli) => {
    const webhooks = await readWebhooks(cli);
    const shorten = shortenAmong(webhooks.map(({ id }) => id));
    cli.out.answer(ListWebhooksResponseSchema, create(ListWebhooksResponseSchema, { webhooks }), () =>
      webhooks.length === 0
        ? 'no webhooks'
        : renderTable(webhooks, [
            { head: 'ID', cell: ({ id }) => shorten(id), style: () => 'dim' },
            { head: 'STATE', cell: ({ state }) => toWords(WebhookState[state]) },
            { head: 'URL', cell: ({ url }) => oneLine(url), flexible: true },
            { head: 'SENT', cell: (one) => sent(one), flexible: true },
            { head: 'LAST SUCCESS', cell: ({ lastSuccessTime }) => showTime(lastSuccessTime, cli.zone) },
          ]),
    );
  });
}

interface CreateOptions {
  events?: WebhookMessageType[];
  kinds?: NotificationKind[];
  project?: string;
  description?: string;
}

function registerCreation(webhook: Command): void {
  const command = webhook
    .command('create')
    .summary('make a webhook')
    .description('Makes a webhook. The secret that signs its messages is shown this once, alone on standard output.')
    .argument('<url>', 'where messages are sent')
    .addOption(
      new Option(
        '--events <types>',
        `what happens, with commas between: ${events.map(({ name }) => name).join(', ')}; ${nouns.join(' or ')} for all of it`,
      ).argParser(readEvents),
    )
    .addOption(
      new Option('--kinds <kinds>', `notifications, all without --events: ${kindWords.join(', ')}`).argParser(
        readChoiceList<NotificationKind>(NotificationKind, kindWords),
      ),
    )
    .option('--project <id>', 'events of this project, which you manage, instead of those that concern you')
    .option('--description <text>', 'what it is for');
  examples(
    command,
    'taskflow webhook create https://hooks.example.com/tasks --events task.created,task.completed',
    'taskflow webhook create https://hooks.example.com/all --events task,member --kinds overdue',
  );
  act<CreateOptions>(command, async (cli, { args: [url = ''], options }) => {
    const { events: wanted = [], kinds = [], project: projectId = '', description = '' } = options;
    const answer = await cli.taskflow.notifications.createWebhook({
      webhook: { url, events: wanted, kinds, projectId, description },
      requestId: randomUUID(),
    });
    cli.out.answer(CreateWebhookResponseSchema, answer, () => answer.secret);
    cli.out.note(`webhook ${answer.webhook?.id ?? ''}; its secret is not shown again`);
  });
}

function registerDeletion(webhook: Command): void {
  const command = webhook
    .command('delete')
    .summary('end a webhook')
    .description('Ends a webhook; what still waits for it is not sent.')
    .argument('<id>', 'of the webhook, or the beginning or end of it');
  examples(command, 'taskflow webhook delete ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const webhookId = await resolveWebhook(typed, cli);
    const answer = await cli.taskflow.notifications.deleteWebhook({ webhookId, requestId: randomUUID() });
    cli.out.answer(DeleteWebhookResponseSchema, answer, () => 'deleted');
  });
}

function registerEnabling(webhook: Command): void {
  const command = webhook
    .command('enable')
    .summary('take up a webhook that was disabled')
    .description('Takes up a webhook that was disabled. Events go on where they ended, for seven days.')
    .argument('<id>', 'of the webhook, or the beginning or end of it');
  examples(command, 'taskflow webhook enable ID');
  act(command, async (cli, { args: [typed = ''] }) => {
    const webhookId = await resolveWebhook(typed, cli);
    const answer = await cli.taskflow.notifications.enableWebhook({ webhookId, requestId: randomUUID() });
    cli.out.answer(EnableWebhookResponseSchema, answer, () => `enabled ${oneLine(answer.webhook?.url ?? '')}`);
  });
}

interface DeliveriesOptions {
  state?: WebhookDeliveryState[];
  limit: number;
}

const outcome = ({ state, error, attempts }: WebhookDelivery): string =>
  [toWords(WebhookDeliveryState[state]), oneLine(error || (attempts.at(-1)?.error ?? ''))].filter(Boolean).join(': ');

function registerDeliveries(webhook: Command): void {
  const command = webhook
    .command('deliveries')
    .summary('list what was sent to a webhook')
    .description('Lists what was sent to a webhook or waits for it, the latest first, with what became of it.')
    .argument('<id>', 'of the webhook, or the beginning or end of it')
    .addOption(
      new Option('--state <states>', `only these: ${stateWords.join(', ')}`).argParser(
        readChoiceList<WebhookDeliveryState>(WebhookDeliveryState, stateWords),
      ),
    )
    .option('--limit <count>', 'at most so many', readCount, 20);
  examples(command, 'taskflow webhook deliveries ID --state pending,dead');
  act<DeliveriesOptions>(command, async (cli, { args: [typed = ''], options: { state: states = [], limit } }) => {
    const webhookId = await resolveWebhook(typed, cli);
    const deliveries: WebhookDelivery[] = [];
    const request = { webhookId, states, pageSize: Math.min(limit, 100) };
    for await (const one of itemsOf(cli.taskflow.notifications.listWebhookDeliveries, request)) {
      deliveries.push(one);
      if (deliveries.length === limit) break;
    }
    const list = create(ListWebhookDeliveriesResponseSchema, { deliveries });
    cli.out.answer(ListWebhookDeliveriesResponseSchema, list, () =>
      deliveries.length === 0
        ? 'no deliveries'
        : renderTable(deliveries, [
            { head: 'ID', cell: ({ id }) => id, style: () => 'dim' },
            { head: 'WHEN', cell: ({ createTime }) => showTime(createTime, cli.zone) },
            { head: 'TYPE', cell: ({ type }) => toEventName(WebhookMessageType[type]) },
            { head: 'TRIES', cell: ({ attempts }) => String(attempts.length) },
            { head: 'OUTCOME', cell: outcome, flexible: true },
          ]),
    );
  });
}

function registerReplay(webhook: Command): void {
  const command = webhook
    .command('replay')
    .summary('send again what happened')
    .description('Sends again what happened from a time or a delivery of the last seven days on, in its order.')
    .argument('<id>', 'of the webhook, or the beginning or end of it')
    .addOption(new Option('--since <time>', 'such as 30m, 2h, 3d, or a time of RFC 3339').argParser(readSince))
    .option('--from <delivery>', 'the whole id of a delivery');
  examples(command, 'taskflow webhook replay ID --since 2h');
  act<{ since?: Timestamp; from?: string }>(command, async (cli, { args: [typed = ''], options: { since, from } }) => {
    if ((since === undefined) === (from === undefined)) command.error('error: say --since or --from');
    const webhookId = await resolveWebhook(typed, cli);
    const start =
      since === undefined
        ? ({ case: 'deliveryId', value: from ?? '' } as const)
        : ({ case: 'startTime', value: since } as const);
    const answer = await cli.taskflow.notifications.replayWebhook({ webhookId, start, requestId: randomUUID() });
    cli.out.answer(ReplayWebhookResponseSchema, answer, () => 'it is sent again');
  });
}

export function registerWebhook(program: Command): void {
  const webhook = program
    .command('webhook')
    .summary('endpoints that are sent what happens')
    .description('Endpoints of other systems that are sent what happens, or what you are notified of.');
  registerListing(webhook);
  registerCreation(webhook);
  registerDeletion(webhook);
  registerEnabling(webhook);
  registerDeliveries(webhook);
  registerReplay(webhook);
}
