import { z } from 'zod';
import { NotificationChannel } from '#contract/users/v1/users';
import { fieldTypes, findTimeZone, maxTimeZoneCharacters } from '#libs/errors';

/* What clients may write into the fields of a profile: the limits of users.proto, field by field. */

export const displayName = fieldTypes.text({ min: 1, max: 100 });

interface TextRule {
  max: number;
  /** The one spelling of a valid text; undefined for an invalid one. */
  canonical: (text: string) => string | undefined;
  message: string;
}

/** A text that an empty one resets. */
function resettable(initial: string, { max, canonical, message }: TextRule) {
  const text = fieldTypes.text({ max }).transform((value, context) => {
    const spelling = canonical(value);
    if (spelling !== undefined) return spelling;
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
  const orInitial = z.string().transform((value) => (value === '' ? initial : value));
  return { initial, change: orInitial.pipe(text) };
}

export const timeZone = resettable('UTC', {
  max: maxTimeZoneCharacters,
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
  max: 35,
  canonical: toLocale,
  message: 'must be a BCP 47 language tag, for instance "en-GB"',
});

const initialHour = 9;
export const overdueHour = {
  initial: initialHour,
  change: z
    .number()
    .default(initialHour)
    .refine((hour) => hour >= 0 && hour <= 23, 'must be 0 to 23'),
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

/** One violation for the whole list, however long. The result is ordered and has no duplicates. */
function listOf(known: readonly string[], remark = '') {
  const rule = `must hold nothing but ${known.join(', ')}${remark}`;
  return z
    .array(z.string())
    .refine((names) => names.every((name) => known.includes(name)), rule)
    .transform((names) => {
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
