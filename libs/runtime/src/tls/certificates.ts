import { readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Logger } from '../logger.ts';
import type { Metrics } from '../metrics.ts';
import {
  checkCertificates,
  type CertificateFault,
  type CertificatePart,
  type CertificateSet,
} from './check-certificates.ts';
import { callsByTls, type TlsMode } from './tls-mode.ts';
import { entryOf, readTlsSettings, type CertificateFiles, type TlsSettings } from './tls-settings.ts';

/** The certificates in use. They follow their files: whoever connects next uses the new ones. */
export interface Certificates {
  readonly mode: TlsMode;
  current(): CertificateSet;
  /** Calls `onReplaced` after each replacement. Returns a function that ends the subscription. */
  subscribe(onReplaced: () => void): () => void;
  /** Stops looking at the files. */
  stop(): void;
}

export interface CertificatesOptions extends TlsSettings {
  /** The service whose name the certificate must have. */
  service?: string | undefined;
  /** See `checkCertificates`. */
  issuedElsewhere?: boolean | undefined;
  logger?: Logger | undefined;
  metrics?: Metrics | undefined;
  /** How often the files are looked at. Default: 2 s. */
  intervalMs?: number;
}

const defaultIntervalMs = 2000;

const partsOf = (files: CertificateFiles): CertificatePart[] => Object.keys(files) as CertificatePart[];

const isSame = (a: CertificateSet, b: CertificateSet): boolean =>
  (Object.keys(entryOf) as CertificatePart[]).every((part) => String(a[part] ?? '') === String(b[part] ?? ''));

/** Counts replacements and shows when the certificate ends. */
function createReporter({ logger, metrics }: CertificatesOptions) {
  const expiry = metrics?.gauge(
    'taskflow_certificate_expiry_timestamp_seconds',
    'When the certificate of this service ends, in seconds since 1970. Absent without TLS.',
  );
  const replacements = metrics?.counter(
    'taskflow_certificate_replacements_total',
    'New contents of the certificate files: taken, or refused because something is wrong with them; then the old ones stay in use.',
    ['outcome'],
  );
  for (const outcome of ['taken', 'refused']) replacements?.inc({ outcome }, 0);
  return {
    showExpiry: (time: Date | undefined) => {
      if (time !== undefined) expiry?.set(time.getTime() / 1000);
    },
    taken: (expireTime: Date | undefined) => {
      replacements?.inc({ outcome: 'taken' });
      logger?.info({ expireTime }, 'certificates replaced');
    },
    refused: (faults: string[]) => {
      replacements?.inc({ outcome: 'refused' });
      logger?.warn({ faults }, 'new certificates refused; the old ones stay in use');
    },
  };
}

/** The files as they are now. `faults` has a line for each that cannot be read. */
async function readSet(files: CertificateFiles): Promise<{ set: CertificateSet; faults: string[] }> {
  const faults: string[] = [];
  const read = partsOf(files).map(async (part) => {
    try {
      return [part, await readFile(files[part] ?? '')] as const;
    } catch (error) {
      faults.push(`${entryOf[part]}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
      return [part, undefined] as const;
    }
  });
  return { set: Object.fromEntries(await Promise.all(read)) as CertificateSet, faults };
}

/** Tells what is wrong with the files once it has stood there for two looks: files are written one after the other. */
function createRefusals(report: (faults: string[]) => void): (faults: string[]) => void {
  let seen = '';
  let told = '';
  return (faults) => {
    const text = faults.join('\n');
    if (text !== '' && text === seen && text !== told) report(faults);
    if (text === '' || text === seen) told = text;
    seen = text;
  };
}

const nothing = { faults: [], expireTime: undefined };
const describe = ({ part, text }: CertificateFault): string => `${entryOf[part]}: ${text}`;

/**
 * Opens certificates whose settings have been checked, and follows their files. It reads their contents, because a
 * change of a mounted Secret swaps a link above them. A set that is not usable, such as a certificate whose key has not
 * been written yet, is refused, and looked at again.
 */
export function openCertificates(options: CertificatesOptions): Certificates {
  const { mode, files, service, issuedElsewhere, intervalMs = defaultIntervalMs } = options;
  const listeners = new Set<() => void>();
  const report = createReporter(options);
  const refuse = createRefusals(report.refused);
  const read = partsOf(files).map((part) => [part, readFileSync(files[part] ?? '')] as const);
  let current: CertificateSet = Object.fromEntries(read);
  report.showExpiry(checkCertificates(current).expireTime);

  const consider = (set: CertificateSet, unreadable: readonly string[]): void => {
    const isNew = unreadable.length > 0 || !isSame(set, current);
    const { faults, expireTime } = isNew ? checkCertificates(set, { service, issuedElsewhere }) : nothing;
    const wrong = unreadable.length > 0 ? [...unreadable] : faults.map(describe);
    refuse(wrong);
    if (!isNew || wrong.length > 0) return;
    current = set;
    report.showExpiry(expireTime);
    report.taken(expireTime);
    listeners.forEach((listener) => listener());
  };
  let isReading = false;
  const look = async (): Promise<void> => {
    if (isReading) return;
    isReading = true;
    const { set, faults } = await readSet(files);
    isReading = false;
    consider(set, faults);
  };
  const timer = setInterval(() => void look(), intervalMs).unref();
  return {
    mode,
    current: () => current,
    subscribe: (listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    },
    stop: () => clearInterval(timer),
  };
}

/** The authorities alone: for calls that must not show the own certificate. */
export function withoutOwnCertificate(certificates: Certificates): Certificates {
  const current = (): CertificateSet => {
    const { authorities } = certificates.current();
    return authorities === undefined ? {} : { authorities };
  };
  return { ...certificates, current };
}

/**
 * What a program outside the cluster needs to call it by TLS; undefined when the settings say plaintext. Throws
 * ConfigError with every fault at once.
 */
export function openClientCertificates(env: NodeJS.ProcessEnv = process.env): Certificates | undefined {
  const settings = readTlsSettings(env);
  return callsByTls(settings.mode) ? openCertificates(settings) : undefined;
}
