import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from '@jest/globals';
import { readTlsSettings } from '#libs/runtime';
import { keepCertificates, renewCertificates } from './certificates.ts';
import { serviceNames } from './service-names.ts';

const dir = mkdtempSync(join(tmpdir(), 'taskflow-authority-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

it('certificates of a machine are new at each start, of an authority that stays', async () => {
  const first = await keepCertificates(dir, 'mutual');
  const read = () =>
    serviceNames.map((service) => readFileSync(first[service]['TASKFLOW_TLS_CERT_FILE'] ?? '', 'utf8'));
  const [authority, certificates] = [readFileSync(join(dir, 'certificates/ca.crt'), 'utf8'), read()];
  await renewCertificates(dir);
  expect(readFileSync(join(dir, 'certificates/ca.crt'), 'utf8')).toBe(authority);
  for (const [index, certificate] of read().entries()) expect(certificate).not.toBe(certificates[index]);
  // They fit together, or this throws.
  for (const service of serviceNames) readTlsSettings(first[service]);
});

it('keys are readable for their owner only', () => {
  for (const file of [...serviceNames.map((service) => `${service}/tls.key`), 'ca.key'])
    expect(statSync(join(dir, 'certificates', file)).mode & 0o777).toBe(0o600);
});
