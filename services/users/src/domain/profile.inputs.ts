import { z } from 'zod';
import { NotificationChannel } from '#contract/users/v1/users';
import { fieldTypes, findTimeZone } from '#libs/errors';
import { fieldsOf } from '#libs/fields';

/* What clients may write into the fields of a profile. */

const user = fieldsOf('taskflow.users.v1.User');

export const displayName = user.text('display_name');

interface TextRule {
  field: 'time_zone' | 'locale';
  /** The one spelling of a valid text; undefined for an invalid one. */
  canonical: (text: string) => string | undefined;
  message: string;
}

/** A text that an empty one resets. */
function resettable(initial: string, { field, canonical, message }: TextRule) {
  const text = user.text(field).transform((value, context) => {
    const spelling = canonical(value);
    if (spelling !== undefined) return spelling;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
  const orInitial = z.string().transform((value) => (value === '' ? initial : value));
  return { initial, change: orInitial.pipe(text) };
}

export const timeZone = resettable('UTC', {
  field: 'time_zone',
  canonical: findTimeZone,
  message: 'must be an IANA time zone, for instance "Europe/Berlin"',
});

/** The language tag in its canonical spelling ("en-us" becomes "en-US"); undefined for anything else. */
export function toLocale(text: string): string | undefined {
  try {
    return text === '' ? undefined : Intl.getCanonicalLocales(text)[0];
  } catch {
    return undefined;
  }
}

export const locale = resettable('en', {
  field: 'locale',
  canonical: toLocale,
  message: 'must be a BCP 47 language tag, for instance "en-GB"',
});

export const overdueHour = {
  initial: user.rule('overdue_hour').defaultNumber ?? 0,
  change: user.number('overdue_hour'),
};

/** null: not chosen, so the operator's default holds. */
export const discoverable = {
  initial: null,
  change: z
    .boolean()
    .optional()
    .transform((chosen) => chosen ?? null),
};

/** Where notifications can go, in the order in which they are stored and returned. */
export const allChannels = ['inbox', 'email', 'webhook'] as const;
export type Channel = (typeof allChannels)[number];

const channelNames: ReadonlyMap<string, Channel> = new Map([
  [NotificationChannel.INBOX, 'inbox'],
  [NotificationChannel.EMAIL, 'email'],
  [NotificationChannel.WEBHOOK, 'webhook'],
]);

/** The result is ordered and has no duplicates. */
function listOf(known: readonly string[], remark = '') {
  return fieldTypes.setOf(known, `must be one of ${known.join(', ')}${remark}`).transform((names) => {
    const wanted = new Set(names.map((name) => channelNames.get(name)));
    return allChannels.filter((channel) => wanted.has(channel));
  });
}

const names = [...channelNames.keys()];

export const channels = { initial: ['inbox'] as Channel[], change: listOf(names) };

/** Where no mails are sent: choosing them would lose notifications. */
export const channelsWithoutMail = listOf(
  names.filter((name) => channelNames.get(name) !== 'email'),
  '; this server sends no mails',
);
