import { InvalidArgumentError } from 'commander';
import { timestampFromDate, type Timestamp } from '#client/index';
import { WebhookMessageType } from '#client/scheduler';

/** task.created for TASK_CREATED, as messages name them. */
export const toEventName = (name: string): string => name.toLowerCase().replace('_', '.');
/** What a notification or the server itself tells. */
const notEvents = ['TASK_OVERDUE', 'TASK_STATUS_CHANGED', 'TASK_ASSIGNED', 'TASK_COMMENTED', 'TASK_MENTIONED'];
export const events = Object.entries(WebhookMessageType).flatMap(([name, value]) =>
  typeof value === 'number' && /^(TASK|COMMENT|PROJECT|MEMBER)_/.test(name) && !notEvents.includes(name)
    ? [{ name: toEventName(name), value: value as WebhookMessageType }]
    : [],
);
const nounOf = (name: string): string => name.slice(0, name.indexOf('.'));
export const nouns = [...new Set(events.map(({ name }) => nounOf(name)))];

/** `task` or `task.*` stand for all of tasks. */
export function readEvents(text: string, before: WebhookMessageType[] = []): WebhookMessageType[] {
  const read = text.split(',').flatMap((part) => {
    const word = part.trim().toLowerCase().replace(/\.\*$/, '');
    const fitting = events.filter(({ name }) => name === word || nounOf(name) === word);
    if (fitting.length === 0)
      throw new InvalidArgumentError(`It is none of ${[...nouns, ...events.map(({ name }) => name)].join(', ')}.`);
    return fitting.map(({ value }) => value);
  });
  return [...new Set([...before, ...read])];
}

const secondsPer: Readonly<Record<string, number>> = { m: 60, h: 3600, d: 86_400 };

/** 30m, 2h, 3d ago, or a time of RFC 3339. */
export function readSince(text: string): Timestamp {
  const [, count, unit = ''] = /^(\d+)(m|h|d)$/.exec(text) ?? [];
  const time = count === undefined ? Date.parse(text) : Date.now() - Number(count) * (secondsPer[unit] ?? 0) * 1_000;
  if (Number.isNaN(time) || (count === undefined && !/^\d{4}-\d\d-\d\dT/.test(text)))
    throw new InvalidArgumentError('Say it like 30m, 2h, 3d or 2026-12-24T17:00:00Z.');
  return timestampFromDate(new Date(time));
}
