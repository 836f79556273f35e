import { Client } from '@grpc/grpc-js';
import { TaskFlowError } from '#client/index';
import { channelCredentials } from '#libs/grpc';
import type { Certificates } from '#libs/runtime';
import { explainUsage, isUsageError, usageStatus } from '../../../runtime/command-line/command-line.mjs';
import { withProgress } from './console-report.ts';
import { defaultPorts, settingOf, type ServiceName } from './service-names.ts';

export { UsageError } from '../../../runtime/command-line/command-line.mjs';

/** The message for a failure: one line, and what to do where that is known. */
function explain(name: string, error: unknown): string {
  if (isUsageError(error)) return explainUsage(name, error);
  const { message } = error as Error;
  return error instanceof TaskFlowError ? `${message} (${error.reason ?? error.code})` : message;
}

/** Does the work and reports its progress every five seconds, on standard error: standard output may be the program's result. */
export type Progress = <T>(describe: () => string, work: () => Promise<T>) => Promise<T>;

/** Runs the command `npm run NAME`. Sets the exit status: that of `run`, 1 when it throws, 64 for wrong arguments. */
export async function runCommand(name: string, run: (progress: Progress) => Promise<number>): Promise<void> {
  const say = (text: string): void => void process.stderr.write(`${name}: ${text}\n`);
  try {
    process.exitCode = await run(async (describe, work) => withProgress(say, describe, work));
  } catch (error) {
    say(explain(name, error));
    process.exitCode = isUsageError(error) ? usageStatus : 1;
  }
  // The channel to boot.mjs would keep this process alive.
  process.disconnect?.();
}

/** Enough for a server on another continent, and little for a person who waits. */
const contactMs = 4_000;

/** Whether something speaks gRPC at the address; looks for at most `contactMs`. */
async function answers(address: string, certificates: Certificates | undefined): Promise<boolean> {
  const { credentials, options } = channelCredentials(certificates, address);
  const channel = new Client(address, credentials, {
    ...options,
    'grpc.use_local_subchannel_pool': 1,
    'grpc.max_reconnect_backoff_ms': 500,
  });
  try {
    return await new Promise((resolve) =>
      channel.waitForReady(Date.now() + contactMs, (error) => resolve(error === undefined)),
    );
  } finally {
    channel.close();
  }
}

/**
 * The addresses of services that a program outside the cluster talks to: from the settings, else those of `npm start`.
 * `certificates` are those of `openClientCertificates`.
 * Throws when one does not answer within four seconds; the message says at which address, and what to do.
 */
export async function findServices<S extends ServiceName>(
  services: readonly S[],
  certificates?: Certificates,
  env: NodeJS.ProcessEnv = process.env,
): Promise<Record<S, string>> {
  const found = services.map(
    (service) => [service, env[settingOf(service, 'ADDRESS')] ?? `127.0.0.1:${defaultPorts[service].calls}`] as const,
  );
  const lost = await Promise.all(
    found.map(async ([service, address]) =>
      (await answers(address, certificates)) ? [] : [`nothing answers at ${address} (${service})`],
    ),
  );
  const faults = lost.flat();
  if (faults.length === 0) return Object.fromEntries(found) as Record<S, string>;
  const settings = services.map((service) => settingOf(service, 'ADDRESS')).join(', ');
  const hint = `Start a cluster with "npm start", or say where yours is with ${settings}, and with TASKFLOW_TLS how it is called`;
  throw new Error(`${faults.join('; ')}. ${hint}`);
}
