import { Role } from '#contract/auth/v1/auth';
import { NotificationChannel } from '#contract/users/v1/users';
import { fieldTypes } from '#libs/errors';
import { z } from 'zod';
import { channels as allChannels, type Channel } from '../domain/profile.entity.ts';
import { toLocale, toTimeZone } from '../domain/settings.ts';

/** Text that `canonical` turns into its one spelling, or refuses by giving undefined. */
function canonicalText(canonical: (text: string) => string | undefined, limits: { max: number; message: string }): z.ZodType<string, string> {
  return fieldTypes.text({ max: limits.max }).transform((text, context) => {
    const value = canonical(text);
    if (value !== undefined) return value;
    context.addIssue({ code: 'custom', message: limits.message });
    return z.NEVER;
  });
}

const displayName = fieldTypes.text({ min: 1, max: 100 });
const maxPageTokenCharacters = 1024;
const maxQueryCharacters = 100;
const maxBatch = 1000;

/** What can be chosen: a channel that nothing is sent on would be a way to miss notifications without knowing. */
const channelNames: ReadonlyMap<string, Channel> = new Map([
  [NotificationChannel.INBOX, 'inbox'],
  [NotificationChannel.WEBHOOK, 'webhook'],
]);

/** One violation for the whole list, however long it is; in the order of the domain, each once. */
const channels = z
  .array(z.string())
  .refine((names) => names.every((name) => channelNames.has(name)), `must hold nothing but ${[...channelNames.keys()].join(', ')}; no e-mail is sent yet`)
  .transform((names) => {
    const wanted = new Set(names.map((name) => channelNames.get(name)));
    return allChannels.filter((channel) => wanted.has(channel));
  });

const overdueHour = z.number().refine((hour) => hour >= 0 && hour <= 23, 'must be 0 to 23');

export const getUserSchema = z.object({ userId: fieldTypes.uuid() });

/** The fields that an update may name, each under its name in the mask. */
const changeable = {
  display_name: { key: 'displayName', type: displayName },
  time_zone: { key: 'timeZone', type: canonicalText(toTimeZone, { max: 64, message: 'must be an IANA time zone, for instance "Europe/Berlin"' }) },
  locale: { key: 'locale', type: canonicalText(toLocale, { max: 35, message: 'must be a BCP 47 language tag, for instance "en-GB"' }) },
  overdue_hour: { key: 'overdueHour', type: overdueHour },
  channels: { key: 'channels', type: channels },
} as const;
type ChangeablePath = keyof typeof changeable;
const changeablePaths = Object.keys(changeable) as ChangeablePath[];
const isChangeable = (path: string): path is ChangeablePath => Object.hasOwn(changeable, path);

const updateMask = z
  .array(z.string(), 'must be set')
  .refine((paths) => paths.length > 0 && paths.every(isChangeable), `must name one or more of ${changeablePaths.join(', ')}, and nothing else`);

/** What is checked of the user depends on the mask: other fields may hold anything, since they are not read. */
export function updateUserSchema(mask: readonly string[] | undefined) {
  const named = [...new Set(mask?.filter(isChangeable))].map((path) => changeable[path]);
  const fields = Object.fromEntries(named.map(({ key, type }) => [key, type]));
  const user = z.object({ id: fieldTypes.uuid(), etag: fieldTypes.text({ max: 64 }), ...fields }, 'must be set');
  return z.object({ user, updateMask });
}

export const listUsersSchema = z.object({
  pageSize: fieldTypes.pageSize({ fallback: 50, max: 1000 }),
  pageToken: z.string().max(maxPageTokenCharacters, `must have at most ${maxPageTokenCharacters} characters`),
  query: fieldTypes.text({ max: maxQueryCharacters }),
});

export const upsertProfileSchema = z.object({
  userId: fieldTypes.uuid(),
  email: fieldTypes.text({ min: 3, max: 254 }),
  role: z.enum([Role.USER, Role.ADMIN], 'must be a known role'),
  enabled: z.boolean(),
  displayName,
  accountVersion: z.bigint().min(1n, 'must be positive'),
  accountCreateTime: z.date('must be set'),
});

export const batchGetUsersSchema = z.object({
  userIds: z.array(fieldTypes.uuid()).min(1, `must name 1 to ${maxBatch} users`).max(maxBatch, `must name 1 to ${maxBatch} users`),
});
