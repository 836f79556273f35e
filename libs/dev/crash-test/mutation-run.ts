import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { serviceNames, type ServiceName } from '#dev/cluster';
import type { Fault } from '../effects/fault.ts';
import { mutants, type Mutant } from './mutants.ts';
import { waitForQuiet } from './wait-for-quiet.ts';
import { startCrashTestCluster, type CrashTestCluster, type CrashTestClusterOptions } from './crash-test-cluster.ts';

export interface MutationRunOptions extends Pick<CrashTestClusterOptions, 'infrastructure' | 'seed' | 'copyDatabases'> {
  report: (line: string) => void;
}

export interface MutationReport {
  /** Faults that were found while nothing was switched off. */
  falseAlarms: Fault[];
  /** Of each mutant: what gave it away; undefined when nothing did. */
  found: { name: string; fault: string | undefined }[];
}

const replicas = { auth: 2, scheduler: 2 } as const;
/** Some of it depends on who is first: what was not provoked is tried again. */
const tries = 3;
const lookMs = 15_000;
const giveUpAfterMs = 60_000;

/** Switches one safeguard off after the other in a running cluster, and asks whether the checkers notice. */
export async function runMutants(options: MutationRunOptions): Promise<MutationReport> {
  const { report } = options;
  const orderFile = join(options.infrastructure.dir, `mutation-${options.seed}.json`);
  const env = {
    NODE_OPTIONS: `--import=${fileURLToPath(new URL('mutate.mjs', import.meta.url))}`,
    TASKFLOW_MUTATION_FILE: orderFile,
  };
  const testCluster = await startCrashTestCluster({ ...options, replicas, env, fromSources: true });
  try {
    const falseAlarms = await playUnchanged(testCluster);
    report(`nothing switched off: ${falseAlarms.length} faults`);
    const found: MutationReport['found'] = [];
    let mutated: readonly ServiceName[] = [];
    for (const mutant of mutants) {
      await apply(testCluster, mutant, {
        orderFile,
        restarted: serviceNames.filter((name) => mutated.includes(name) || mutant.services.includes(name)),
      });
      mutated = mutant.services;
      const fault = await findFault(testCluster, mutant);
      found.push({ name: mutant.name, fault });
      report(`${mutant.name}: ${fault ?? 'NOT NOTICED'}`);
    }
    return { falseAlarms, found };
  } finally {
    await testCluster.close();
    for (const file of [orderFile, `${orderFile}.applied`]) rmSync(file, { force: true });
  }
}

/** The same provocations without a mutation: the safeguards hold, and the checkers say nothing. */
async function playUnchanged(testCluster: CrashTestCluster): Promise<Fault[]> {
  const askLater: (() => Promise<Fault[]>)[] = [];
  for (const provoke of new Set(mutants.map((mutant) => mutant.provoke))) askLater.push(await provoke(testCluster));
  const facts = await waitForQuiet(testCluster, giveUpAfterMs);
  const later = await Promise.all(askLater.map((ask) => ask()));
  return [...testCluster.judge(facts), ...later.flat()];
}

async function apply(
  { cluster }: CrashTestCluster,
  { file, find, replace, name, services }: Mutant,
  { orderFile, restarted }: { orderFile: string; restarted: readonly ServiceName[] },
): Promise<void> {
  writeFileSync(orderFile, JSON.stringify({ file, find, replace }));
  writeFileSync(`${orderFile}.applied`, '');
  const placesOf = (service: ServiceName): number[] =>
    cluster.labels.filter((label) => label.split('-')[0] === service).map((_, replica) => replica);
  await Promise.all(
    restarted.flatMap((service) => placesOf(service).map((replica) => cluster.restart(service, replica))),
  );
  const applied = new Set(readFileSync(`${orderFile}.applied`, 'utf8').split('\n'));
  const missing = services.flatMap((service) =>
    placesOf(service).filter((replica) => !applied.has(String(cluster.pid(service, replica)))),
  );
  if (missing.length > 0)
    throw new Error(`"${name}" was not applied: no process of ${services.join(', ')} loads ${file}`);
}

async function findFault(testCluster: CrashTestCluster, { provoke, kind, fault }: Mutant): Promise<string | undefined> {
  const matching = (faults: readonly Fault[]): string[] =>
    faults.filter((one) => one.kind === kind && fault.test(one.what)).map(({ what }) => what);
  const known = new Set(matching(testCluster.judge(await testCluster.read())));
  for (let attempt = 0; attempt < tries; attempt += 1) {
    const askLater = await provoke(testCluster);
    const giveUp = performance.now() + lookMs;
    while (performance.now() < giveUp) {
      const found = matching([...testCluster.judge(await testCluster.read()), ...(await askLater())]).find(
        (what) => !known.has(what),
      );
      if (found !== undefined) return found;
      await pause(100);
    }
  }
  return undefined;
}
