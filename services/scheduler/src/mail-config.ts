import { X509Certificate } from 'node:crypto';
import { ConfigError, envTypes } from '#libs/runtime';
import { z } from 'zod';
import type { MailWay } from './clients/mail-sender.ts';
import type { MailDeps } from './deps.ts';

/** How mails are sent. */
export type MailConfig = MailWay &
  Pick<MailDeps, 'links' | 'retries' | 'maxPerHour'> & {
    sender: { name: string; address: string };
    /** Over all replicas. */
    maxPerSecond: number;
  };

const addressText = '[^\\s<>@",;:]{1,64}@[^\\s<>@",;:]{1,255}';
const address = z
  .string()
  .regex(new RegExp(`^${addressText}$`), 'must be an e-mail address')
  .optional();
const senderPattern = new RegExp(`^(?:(?<name>[^<>"\\r\\n]{0,100}?)\\s*<)?(?<address>${addressText})>?$`);

function toSender(text: string, context: z.RefinementCtx): MailConfig['sender'] {
  const { name = '', address: found } = senderPattern.exec(text)?.groups ?? {};
  if (found !== undefined && text.includes('<') === text.endsWith('>')) return { name, address: found };
  context.addIssue({ code: 'custom', message: 'must be an e-mail address, or a name and <the address>' });
  return z.NEVER;
}

function isCertificate(text: string): boolean {
  try {
    return new X509Certificate(text).subject !== undefined;
  } catch {
    return false;
  }
}

const withoutSlash = (url: string): string => url.replace(/\/+$/, '');
const dayMs = 86_400_000;

/** The ways that mails can take; users and auth read the same variable. */
export const mailEntries = {
  TASKFLOW_MAIL: envTypes.mailWay(),
  TASKFLOW_SCHEDULER_SMTP_URL: envTypes.url('smtp:', 'smtps:').optional(),
  TASKFLOW_SCHEDULER_SMTP_STARTTLS: envTypes.oneOf(['required', 'optional', 'off'] as const, 'required'),
  TASKFLOW_SCHEDULER_SMTP_AUTHORITY: z.string().refine(isCertificate, 'must be a certificate in PEM').optional(),
  TASKFLOW_SCHEDULER_SMTP_TIMEOUT_MS: envTypes.positiveInt(30_000, 60_000),
  TASKFLOW_SCHEDULER_MAIL_SENDER: z.string().transform(toSender).optional(),
  TASKFLOW_SCHEDULER_MAIL_FOLDER: envTypes.optionalText(),
  TASKFLOW_SCHEDULER_MAIL_SITE_URL: envTypes.url('https:', 'http:').transform(withoutSlash).optional(),
  TASKFLOW_SCHEDULER_MAIL_UNSUBSCRIBE_ADDRESS: address,
  TASKFLOW_SCHEDULER_MAIL_RETRY_MS: envTypes.positiveInt(15_000, 3_600_000),
  TASKFLOW_SCHEDULER_MAIL_GIVE_UP_MS: envTypes.positiveInt(dayMs, 7 * dayMs),
  TASKFLOW_SCHEDULER_MAIL_PER_SECOND: envTypes.positiveInt(10, 10_000),
  TASKFLOW_SCHEDULER_MAIL_PER_RECIPIENT_AND_HOUR: envTypes.positiveInt(60, 10_000),
};

type MailEntries = z.infer<z.ZodObject<typeof mailEntries>>;

/** Undefined: off. Throws ConfigError with every fault at once. */
export function toMailConfig(own: MailEntries, env: string): MailConfig | undefined {
  if (own.TASKFLOW_MAIL === 'off') return undefined;
  const faults = own.TASKFLOW_MAIL === 'smtp' ? smtpFaults(own) : folderFaults(own, env);
  if (faults.length > 0) throw new ConfigError(faults);
  return {
    ...toWay(own),
    sender: own.TASKFLOW_SCHEDULER_MAIL_SENDER ?? { name: 'TaskFlow', address: 'taskflow@localhost' },
    links: {
      site: own.TASKFLOW_SCHEDULER_MAIL_SITE_URL,
      unsubscribeAddress: own.TASKFLOW_SCHEDULER_MAIL_UNSUBSCRIBE_ADDRESS,
    },
    retries: {
      firstPauseMs: own.TASKFLOW_SCHEDULER_MAIL_RETRY_MS,
      giveUpMs: own.TASKFLOW_SCHEDULER_MAIL_GIVE_UP_MS,
    },
    maxPerSecond: own.TASKFLOW_SCHEDULER_MAIL_PER_SECOND,
    maxPerHour: own.TASKFLOW_SCHEDULER_MAIL_PER_RECIPIENT_AND_HOUR,
  };
}

function toWay(own: MailEntries): MailWay {
  if (own.TASKFLOW_MAIL === 'folder') return { way: 'folder', folder: own.TASKFLOW_SCHEDULER_MAIL_FOLDER ?? '' };
  return {
    way: 'smtp',
    url: own.TASKFLOW_SCHEDULER_SMTP_URL ?? '',
    startTls: own.TASKFLOW_SCHEDULER_SMTP_STARTTLS,
    authority: own.TASKFLOW_SCHEDULER_SMTP_AUTHORITY,
    timeoutMs: own.TASKFLOW_SCHEDULER_SMTP_TIMEOUT_MS,
  };
}

/** The names of the settings that are missing. */
const missing = (own: MailEntries, ...names: (keyof MailEntries)[]): string[] =>
  names.filter((name) => own[name] === undefined).map((name) => `${name}: is missing`);

function smtpFaults(own: MailEntries): string[] {
  const { TASKFLOW_SCHEDULER_SMTP_URL: url = 'smtp://host', TASKFLOW_SCHEDULER_SMTP_STARTTLS: startTls } = own;
  const { protocol, hostname, username } = new URL(url);
  const isReadable = protocol === 'smtp:' && username !== '' && startTls !== 'required';
  return [
    ...missing(own, 'TASKFLOW_SCHEDULER_SMTP_URL', 'TASKFLOW_SCHEDULER_MAIL_SENDER'),
    ...(hostname === '' ? ['TASKFLOW_SCHEDULER_SMTP_URL: names no host'] : []),
    ...(isReadable ? ['TASKFLOW_SCHEDULER_SMTP_STARTTLS: must be required where the URL has a password'] : []),
  ];
}

function folderFaults(own: MailEntries, env: string): string[] {
  return [
    ...(env === 'production' ? ['TASKFLOW_MAIL: folder is for development, not for production'] : []),
    ...missing(own, 'TASKFLOW_SCHEDULER_MAIL_FOLDER'),
  ];
}
