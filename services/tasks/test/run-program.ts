import { execFile, type ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { serviceNames } from '#libs/contract';
import type { Cluster } from '#dev/cluster';
import type { Person } from './start-cluster.ts';

export interface TokenHolder extends Person {
  /** In place of e-mail and password. */
  personalToken?: string;
}

export interface Ended {
  status: number;
  output: string;
  errors: string;
}

/** Of everybody who runs a program. */
export const password = 'a long passphrase';

/** What a program says every five seconds on a slow machine. */
const progress = /^(import|export): (waiting for .*|\d+ of \d+ tasks|\d+ (tasks|lines) written)\n/gm;
const programs = {
  import: fileURLToPath(new URL('../import/main.ts', import.meta.url)),
  export: fileURLToPath(new URL('../export/main.ts', import.meta.url)),
};

export type RunProgram = (
  program: keyof typeof programs,
  person: TokenHolder,
  args: string[],
  nodeArgs?: string[],
) => Promise<Ended>;

/** Runs import and export in a folder, against a cluster, as whoever has an account there. */
export function programsIn(
  folder: string,
  cluster: () => Pick<Cluster, 'address' | 'labels'>,
  onStart: (program: ChildProcess) => void = () => undefined,
): RunProgram {
  return (program, person, args, nodeArgs = []) => {
    const { address, labels } = cluster();
    const env = {
      ...process.env,
      NODE_OPTIONS: '',
      // Most of the time of a short run is compiling: the later ones reuse what the first has compiled.
      NODE_COMPILE_CACHE: join(folder, 'compiled'),
      ...(person.personalToken === undefined
        ? { TASKFLOW_EMAIL: person.email, TASKFLOW_PASSWORD: password }
        : { TASKFLOW_TOKEN: person.personalToken }),
      ...Object.fromEntries(
        serviceNames
          .filter((service) => labels.includes(service))
          .map((service) => [`TASKFLOW_${service.toUpperCase()}_ADDRESS`, address(service)]),
      ),
    };
    return new Promise((resolve) => {
      const started = execFile(
        process.execPath,
        [...nodeArgs, programs[program], ...args],
        { env, cwd: folder, maxBuffer: 16 * 1024 * 1024 },
        (error, output, errors) => {
          resolve({
            status: error === null ? 0 : Number(error.code ?? -1),
            output,
            errors: errors.replaceAll(progress, ''),
          });
        },
      );
      onStart(started);
    });
  };
}
