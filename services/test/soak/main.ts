// npm run soak [-- options]: a service under more than it can take, under abuse, and for long. Exit code 1 when a promise was
// broken that does not depend on the machine's speed; speeds are printed as ratios within this one run.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { startWorker, type WorkerProcess } from '#libs/bench';
import { startInfrastructure } from '#libs/devcluster';
import { abuse } from './abuse.ts';
import { endure } from './endurance.ts';
import { startGround, type Ground } from './ground.ts';
import { readOptions, usage, type SoakOptions, type StepName } from './options.ts';
import { overload } from './overload.ts';
import { describeAbuse, describeEndurance, describeOverload } from './report.ts';

const say = (line: string): void => void process.stdout.write(`${line}\n`);

interface Findings {
  figures: unknown;
  text: string;
  violations: readonly string[];
}

type Step = (ground: Ground, crowd: WorkerProcess, options: SoakOptions) => Promise<Findings>;

const steps: Record<StepName, Step> = {
  overload: async (ground, crowd, { durationMs }) => {
    const figures = await overload(ground, crowd, durationMs);
    return { figures, text: describeOverload(figures), violations: figures.surprises.map((what) => `invariant 9: ${what}`) };
  },
  abuse: async (ground, crowd, { durationMs }) => {
    const figures = await abuse(ground, crowd, durationMs);
    const violations = figures.flatMap(({ name, bystander }) => bystander.surprises.map((what) => `invariant 10: ${name}: ${what}`));
    return { figures, text: describeAbuse(figures), violations };
  },
  endurance: async (ground, _crowd, options) => {
    const figures = await endure(ground, { ...options, report: say });
    const grown = figures.growth > options.maxGrowth ? [`the heap grew by ${(figures.growth * 100).toFixed(1)} %`] : [];
    return { figures, text: describeEndurance(figures), violations: [...figures.surprises, ...grown].map((what) => `invariant 13: ${what}`) };
  },
};

/** Each on a service that has just been started, so that none inherits what another left. */
async function runStep(name: StepName, options: SoakOptions, servers: { postgresAdminUrl: string; redisUrl: string }): Promise<Findings> {
  const ground = await startGround(servers);
  const crowd = await startWorker(fileURLToPath(new URL('crowd.ts', import.meta.url)));
  try {
    return await steps[name](ground, crowd, options);
  } finally {
    await crowd.stop();
    await ground.stop();
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
    say(violations.length === 0 ? '\nno violation' : `\n${violations.map((what) => `VIOLATION of ${what}`).join('\n')}`);
    return violations.length === 0 ? 0 : 1;
  } finally {
    await infrastructure.stop();
  }
}

try {
  process.exitCode = await run(readOptions(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n\n${usage}\n`);
  process.exitCode = 2;
}
// The channel to boot.mjs would keep this process alive, and so would what a step that broke off has left.
process.exit();
