import { readFileSync } from 'node:fs';
import { ConfigError, loadConfig } from '../config.ts';
import { envTypes } from '../env-types.ts';
import {
  checkCertificates,
  type CertificatePart,
  type CertificateSet,
  type CheckOptions,
} from './check-certificates.ts';
import { tlsModes, type TlsMode } from './tls-mode.ts';

/** The file of each part that is configured. */
export type CertificateFiles = Readonly<Partial<Record<CertificatePart, string>>>;

export interface TlsSettings {
  mode: TlsMode;
  files: CertificateFiles;
}

/** The settings of servers, services and programs alike. The files are read again when they change. */
export const tlsEntries = {
  TASKFLOW_TLS: envTypes.oneOf(tlsModes, 'off'),
  TASKFLOW_TLS_CERT_FILE: envTypes.optionalText(),
  TASKFLOW_TLS_KEY_FILE: envTypes.optionalText(),
  TASKFLOW_TLS_CA_FILE: envTypes.optionalText(),
};

export const entryOf: Readonly<Record<CertificatePart, keyof typeof tlsEntries>> = {
  certificate: 'TASKFLOW_TLS_CERT_FILE',
  key: 'TASKFLOW_TLS_KEY_FILE',
  authorities: 'TASKFLOW_TLS_CA_FILE',
};

const parts = Object.keys(entryOf) as CertificatePart[];

/** The settings from the values of `tlsEntries`. */
export function toTlsSettings(read: <T>(name: keyof typeof tlsEntries) => T): TlsSettings {
  const files = parts.flatMap((part) => {
    const file = read<string | undefined>(entryOf[part]);
    return file === undefined ? [] : [[part, file] as const];
  });
  return { mode: read('TASKFLOW_TLS'), files: Object.fromEntries(files) };
}

/** Reads the files. Returns a line for each that cannot be read. */
function readFiles(files: CertificateFiles): { set: CertificateSet; faults: string[] } {
  const set: CertificateSet = {};
  const faults: string[] = [];
  for (const part of parts) {
    const file = files[part];
    if (file === undefined) continue;
    try {
      set[part] = readFileSync(file);
    } catch (error) {
      faults.push(`${entryOf[part]}: cannot be read (${(error as NodeJS.ErrnoException).code ?? 'error'})`);
    }
  }
  return { set, faults };
}

function findFileFaults(files: CertificateFiles, options: CheckOptions = {}): string[] {
  const { set, faults } = readFiles(files);
  const others = checkCertificates(set, options).faults;
  return [...faults, ...others.map(({ part, text }) => `${entryOf[part]}: ${text}`)];
}

/** What is wrong with the settings of a service, which needs all of the files. */
export function findTlsFaults({ mode, files }: TlsSettings, service: string): string[] {
  if (mode === 'off') return [];
  const missing = parts.filter((part) => files[part] === undefined);
  return [
    ...missing.map((part) => `${entryOf[part]}: is missing; TASKFLOW_TLS=${mode} needs it`),
    ...findFileFaults(files, { service }),
  ];
}

/** What is wrong with the settings of a process that needs no certificate of its own, but may have one. */
export function findOptionalTlsFaults({ mode, files }: TlsSettings, options: CheckOptions = {}): string[] {
  if (mode === 'off') return [];
  const isHalf = (files.certificate === undefined) !== (files.key === undefined);
  return [
    ...(isHalf ? ['TASKFLOW_TLS_CERT_FILE and TASKFLOW_TLS_KEY_FILE: give both, or neither'] : []),
    ...findFileFaults(files, options),
  ];
}

/**
 * Reads the settings of a program outside the cluster. It needs no certificate of its own, and believes the usual
 * authorities unless others are named. Throws ConfigError with every fault at once.
 */
export function readTlsSettings(env: NodeJS.ProcessEnv = process.env): TlsSettings {
  const values: Record<string, unknown> = loadConfig(tlsEntries, env);
  const settings = toTlsSettings(<T>(name: string) => values[name] as T);
  const faults = findOptionalTlsFaults(settings);
  if (faults.length > 0) throw new ConfigError(faults);
  return settings;
}
