// npm run soak [-- options]: a service under more than it can take, under abuse, and for long. Exit code 1 when a promise was
// broken that does not depend on the machine's speed; speeds are printed as ratios within this one run.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startWorker, type WorkerProcess } from '#dev/bench';
import { runCommand, startInfrastructure, type Infrastructure } from '#dev/cluster';
import { abuse } from './abuse.ts';
import { endure } from './endurance.ts';
import { startSoakCluster, type SoakCluster } from './soak-cluster.ts';
import { readOptions, type SoakOptions, type StepName } from './options.ts';
import { overload } from './overload.ts';
import { describeAbuse, describeEndurance, describeOverload } from './report.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Findings {
  figures: unknown;
  text: string;
  violations: readonly string[];
}

type Step = (soakCluster: SoakCluster, generator: WorkerProcess, options: SoakOptions) => Promise<Findings>;

const steps: Record<StepName, Step> = {
  overload: async (soakCluster, generator, { durationMs }) => {
    const figures = await overload(soakCluster, generator, durationMs);
    return {
      figures,
      text: describeOverload(figures),
      violations: figures.surprises.map((what) => `invariant 9: ${what}`),
    };
  },
  abuse: async (soakCluster, generator, { durationMs }) => {
    const figures = await abuse(soakCluster, generator, durationMs);
    const violations = figures.flatMap(({ name, baseline }) =>
      baseline.surprises.map((what) => `invariant 10: ${name}: ${what}`),
    );
    return { figures, text: describeAbuse(figures), violations };
  },
  endurance: async (soakCluster, _generator, options) => {
    const figures = await endure(soakCluster, { ...options, report: say });
    const grown = figures.growth > options.maxGrowth ? [`the heap grew by ${(figures.growth * 100).toFixed(1)} %`] : [];
    return {
      figures,
      text: describeEndurance(figures),
      violations: [...figures.surprises, ...grown].map((what) => `invariant 13: ${what}`),
    };
  },
};

/** Each on a service that has just been started, so that none inherits what another left. */
async function runStep(name: StepName, options: SoakOptions, infrastructure: Infrastructure): Promise<Findings> {
  const soakCluster = await startSoakCluster(infrastructure);
  const generator = await startWorker(fileURLToPath(new URL('load.ts', import.meta.url)));
  try {
    return await steps[name](soakCluster, generator, options);
  } finally {
    await generator.stop();
    await soakCluster.stop();
  }
}

async function run(options: SoakOptions): Promise<number> {
  say('starting PostgreSQL and Redis …');
  const infrastructure = await startInfrastructure({ report: say });
  try {
    const all: Record<string, unknown> = {};
    const violations: string[] = [];
    for (const name of options.steps) {
      say(`${name} …`);
      const findings = await runStep(name, options, infrastructure);
      say(findings.text);
      all[name] = findings.figures;
      violations.push(...findings.violations);
    }
    if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(all, undefined, 2)}\n`);
    say(
      violations.length === 0 ? '\nno violation' : `\n${violations.map((what) => `VIOLATION of ${what}`).join('\n')}`,
    );
    return violations.length === 0 ? 0 : 1;
  } finally {
    await infrastructure.stop();
  }
}

await runCommand('soak', async () => run(readOptions(process.argv.slice(2))));
// What a step that broke off has left would keep this process alive.
process.exit();
