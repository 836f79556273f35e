import { connect } from 'node:tls';
import { once } from 'node:events';
import { X509Certificate } from 'node:crypto';
import { expect, it } from '@jest/globals';
import { InternalUsersServiceService } from '#contract/users/v1/users';
import { createAuthority, waitUntil, type Authority } from '#dev/cluster';
import { createMetrics } from '#libs/runtime';
import { createClient } from '../src/index.ts';
import { openFiles, type OpenFiles } from './certificate-files.ts';
import { identityOf, metricOf, recordingLogger, startTestServer, type TestServer } from './cluster.ts';
import { internalUsersBinding } from './services.ts';
import { stopAfterEach } from '../../dev/testing/src/stop-after-each.ts';

const afterTest = stopAfterEach();

const request = { dnsNames: ['users'] };
const serialOf = (certificate: string): string => new X509Certificate(certificate).serialNumber;

interface Pair {
  target: TestServer;
  /** Of the server. */
  files: OpenFiles;
  callers: OpenFiles;
  /** Calls until told to stop. Returns how many calls were made, and what failed. */
  load: () => { made: () => number; stop: () => Promise<string[]> };
}

/** A service and a caller, whose connections live a moment each, so that certificates are shown again and again. */
async function startPair(authority: Authority): Promise<Pair> {
  const { logger, lines } = recordingLogger();
  const metrics = createMetrics('users');
  const files = await openFiles(authority, request, { service: 'users', logger, metrics });
  const callers = await openFiles(authority, { dnsNames: ['tasks'] }, { service: 'tasks' });
  const started = await startTestServer({
    bindings: [internalUsersBinding()],
    certificates: files.certificates,
    connectionAgeMs: 50,
    logger,
    metrics,
  });
  const target = { ...started, lines, metrics };
  const { client, close } = createClient(InternalUsersServiceService, {
    callee: 'users',
    address: target.address,
    identity: { ...identityOf('tasks'), certificates: callers.certificates },
    logger: recordingLogger().logger,
    metrics: createMetrics('tasks'),
  });
  afterTest(async () => {
    close();
    await target.server.stop();
    files.remove();
    callers.remove();
  });
  const load: Pair['load'] = () => {
    let isOn = true;
    let made = 0;
    const failed: string[] = [];
    const repeat = async (): Promise<void> => {
      while (isOn) {
        await client.batchGetUsers({ userIds: [] }).catch((error: Error) => void failed.push(String(error.cause)));
        made += 1;
      }
    };
    const all = Promise.all(Array.from({ length: 8 }, repeat));
    return {
      made: () => made,
      stop: async () => {
        isOn = false;
        await all;
        return failed;
      },
    };
  };
  return { target, files, callers, load };
}

/** The serial number of the certificate that a new connection is shown. */
async function shownSerial({ address }: TestServer, authorities: string): Promise<string> {
  const [host, port] = address.split(':');
  const socket = connect({ host, port: Number(port), ca: authorities, servername: 'users', ALPNProtocols: ['h2'] });
  await once(socket, 'secureConnect');
  const serial = socket.getPeerX509Certificate()?.serialNumber ?? '';
  socket.destroy();
  return serial;
}

async function callsPass({ made }: ReturnType<Pair['load']>, count: number): Promise<void> {
  const until = made() + count;
  await waitUntil(() => made() >= until);
}

it('a certificate is replaced under load without a failed call', async () => {
  const authority = await createAuthority();
  const { target, files, callers, load } = await startPair(authority);
  const running = load();
  for (let round = 0; round < 2; round += 1) {
    const [next, nextOfCaller] = [await authority.issue(request), await authority.issue({ dnsNames: ['tasks'] })];
    files.replace(next);
    callers.replace(nextOfCaller);
    await waitUntil(
      () => shownSerial(target, authority.certificate),
      (serial) => serial === serialOf(next.certificate),
    );
    await callsPass(running, 300);
  }
  expect(await running.stop()).toEqual([]);
  expect(await metricOf(target, 'taskflow_certificate_replacements_total{outcome="taken"')).toBe(2);
});

it('an authority is replaced under load without a failed call: both believed, then new certificates, then one', async () => {
  const [old, renewed] = [await createAuthority(), await createAuthority()];
  const { target, files, callers, load } = await startPair(old);
  const running = load();
  const settled = (part: 'certificate' | 'authorities', text: string) =>
    waitUntil(() => [files, callers].every(({ certificates }) => String(certificates.current()[part]) === text));
  const both = `${old.certificate}${renewed.certificate}`;
  for (const each of [files, callers]) each.replace({ authorities: both });
  await settled('authorities', both);
  await callsPass(running, 200);
  callers.replace(await renewed.issue({ dnsNames: ['tasks'] }));
  const next = await renewed.issue(request);
  files.replace(next);
  await waitUntil(
    () => shownSerial(target, both),
    (serial) => serial === serialOf(next.certificate),
  );
  // Connections that were opened before live on, but new ones need the new certificates.
  await waitUntil(() => String(callers.certificates.current().authorities) === both);
  await callsPass(running, 200);
  for (const each of [files, callers]) each.replace({ authorities: renewed.certificate });
  await settled('authorities', renewed.certificate);
  await callsPass(running, 200);
  expect(await running.stop()).toEqual([]);
  expect(await shownSerial(target, renewed.certificate)).toBe(serialOf(next.certificate));
});

it('a certificate whose key is not there yet, or that is not usable, does not replace the old one', async () => {
  const authority = await createAuthority();
  const { target, files, load } = await startPair(authority);
  const old = serialOf(String(files.certificates.current().certificate));
  const running = load();
  const refused = (text: string) =>
    waitUntil(() =>
      target.lines.some(({ faults }) => Array.isArray(faults) && faults.some((one) => one.includes(text))),
    );
  const next = await authority.issue(request);
  files.write('certificate', next.certificate);
  await refused('TASKFLOW_TLS_KEY_FILE: has the key of another certificate');
  files.write('certificate', 'half a certifi');
  await refused('TASKFLOW_TLS_CERT_FILE: has no certificate in PEM');
  files.replace(await authority.issue({ ...request, to: new Date(Date.now() - 1000) }));
  await refused('TASKFLOW_TLS_CERT_FILE: has a certificate that expired');
  files.replace(await authority.issue({ dnsNames: ['tasks'] }));
  await refused('TASKFLOW_TLS_CERT_FILE: has a certificate without the DNS name "users"');
  files.replace(await (await createAuthority()).issue(request));
  await refused('TASKFLOW_TLS_CERT_FILE: has a certificate of none of the authorities');
  expect(await shownSerial(target, authority.certificate)).toBe(old);
  expect(await metricOf(target, 'taskflow_certificate_replacements_total{outcome="refused"')).toBe(5);

  files.replace(next);
  await waitUntil(
    () => shownSerial(target, authority.certificate),
    (serial) => serial === serialOf(next.certificate),
  );
  expect(await running.stop()).toEqual([]);
  const expiry = new X509Certificate(next.certificate).validToDate.getTime() / 1000;
  expect(await metricOf(target, 'taskflow_certificate_expiry_timestamp_seconds')).toBe(expiry);
});
