import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { createAuthority, type Authority } from '#dev/cluster';
import type { ConfigError } from '../config.ts';
import { openClientCertificates } from './certificates.ts';
import { findTlsFaults, readTlsSettings } from './tls-settings.ts';

const dir = mkdtempSync(join(tmpdir(), 'taskflow-settings-'));
let authority: Authority;

const write = (name: string, text: string): string => {
  writeFileSync(join(dir, name), text);
  return join(dir, name);
};

/** The files of a certificate with these names. */
async function issue(name: string, dnsNames: string[], issuer = authority) {
  const { certificate, key } = await issuer.issue({ dnsNames });
  return {
    certificate: write(`${name}.crt`, certificate),
    key: write(`${name}.key`, key),
    authorities: write('ca.crt', authority.certificate),
  };
}

beforeAll(async () => {
  authority = await createAuthority();
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe('the settings of a service', () => {
  it('need all files unless TLS is off', async () => {
    expect(findTlsFaults({ mode: 'off', files: {} }, 'users')).toEqual([]);
    expect(findTlsFaults({ mode: 'mutual', files: await issue('users', ['users']) }, 'users')).toEqual([]);
    expect(findTlsFaults({ mode: 'offered', files: {} }, 'users')).toEqual([
      'TASKFLOW_TLS_CERT_FILE: is missing; TASKFLOW_TLS=offered needs it',
      'TASKFLOW_TLS_KEY_FILE: is missing; TASKFLOW_TLS=offered needs it',
      'TASKFLOW_TLS_CA_FILE: is missing; TASKFLOW_TLS=offered needs it',
    ]);
  });

  it('are refused with all faults at once', async () => {
    const tasks = await issue('tasks', ['tasks'], await createAuthority());
    const { key } = await issue('users', ['users']);
    expect(findTlsFaults({ mode: 'required', files: { ...tasks, key } }, 'users')).toEqual([
      'TASKFLOW_TLS_CERT_FILE: has a certificate without the DNS name "users", by which services know each other',
      'TASKFLOW_TLS_KEY_FILE: has the key of another certificate',
      'TASKFLOW_TLS_CERT_FILE: has a certificate of none of the authorities',
    ]);
    const gone = { certificate: join(dir, 'gone'), key: write('bad.key', 'x'), authorities: write('bad.crt', 'x') };
    expect(findTlsFaults({ mode: 'required', files: gone }, 'users')).toEqual([
      'TASKFLOW_TLS_CERT_FILE: cannot be read (ENOENT)',
      'TASKFLOW_TLS_KEY_FILE: has no private key in PEM',
      'TASKFLOW_TLS_CA_FILE: has no certificate in PEM',
    ]);
  });
});

describe('the settings of a program outside the cluster', () => {
  const faultsOf = (env: NodeJS.ProcessEnv): readonly string[] => {
    try {
      readTlsSettings(env);
      return [];
    } catch (error) {
      return (error as ConfigError).faults;
    }
  };

  it('say plaintext by default, and need no file', () => {
    expect(openClientCertificates({})).toBeUndefined();
    expect(openClientCertificates({ TASKFLOW_TLS: 'offered' })).toBeUndefined();
    const certificates = openClientCertificates({ TASKFLOW_TLS: 'required' });
    expect(certificates?.current()).toEqual({});
    certificates?.stop();
  });

  it('take a certificate with its key, of whatever name', async () => {
    const { certificate, key, authorities } = await issue('laptop', ['laptop']);
    const env = { TASKFLOW_TLS: 'mutual', TASKFLOW_TLS_CERT_FILE: certificate, TASKFLOW_TLS_CA_FILE: authorities };
    expect(faultsOf({ ...env, TASKFLOW_TLS_KEY_FILE: key })).toEqual([]);
    expect(faultsOf(env)).toEqual(['TASKFLOW_TLS_CERT_FILE and TASKFLOW_TLS_KEY_FILE: give both, or neither']);
    expect(faultsOf({ TASKFLOW_TLS: 'yes' })).toEqual([
      'TASKFLOW_TLS: must be one of off, offered, preferred, required, mutual',
    ]);
  });
});
